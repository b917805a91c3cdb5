import { fromTemplate } from "./from-template.ts";
import type { Props } from "./props.ts";

/** A setting that may hold Go templates, such as a topic or a URL. @returns null: told as refused */
export function takeDynamic(props: Props, name: string): string | null {
  const text = props.text(name);
  if (text === undefined || text === "") {
    props.refuse(name, "is missing");
    return null;
  }
  const translated = fromTemplate(text);
  if (translated.is === "template") return translated.text;
  props.refuse(name, translated.is === "refused" ? translated.why : "must name a column");
  return null;
}
