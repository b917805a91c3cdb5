import { AppError } from "@penstock/model";

/** What a name stands for, put in as it is. */
export type Names = Readonly<Record<string, string>>;

const placeholder = /\$\{([^{}]*)\}/g;

/** For a field's schema: a text in which only these placeholders stand, such as `plant/${device}/set`. */
export function templatePattern(names: readonly string[], chars = "[^$]"): string {
  return `^(?:${chars}|\\$(?!\\{)|\\$\\{(?:${names.join("|")})\\})+$`;
}

/** @throws AppError mapper/bad-address when a placeholder has no value */
export function fillNames(template: string, names: Names): string {
  return template.replaceAll(placeholder, (whole, name: string) => {
    const value = Object.hasOwn(names, name) ? names[name] : undefined;
    if (value === undefined)
      throw new AppError("mapper/bad-address", `Cannot fill in "${template}": nobody said what ${whole} is`);
    return value;
  });
}

/** A value in the two forms that a payload may want it. */
export interface Filling {
  /** the value as JSON: 21.5, true, "text" */
  readonly json: string;
  /** bare: 21.5, true, text */
  readonly text: string;
}

/**
 * Puts a value into a payload: `${value}` is the value as JSON, `${text}` the bare text; other names as they are given.
 * In a JSON payload `${value}` stands where a value stands and everything else inside texts, escaped, so that no value
 * can become anything but one value.
 *
 * @throws AppError mapper/unsupported when the template is none, or the result would not be JSON
 */
export function payloadTemplate(template: string, kind: "json" | "text"): (filling: Filling, names: Names) => string {
  const parts = splitTemplate(template);
  const refuse = (why: string) => new AppError("mapper/unsupported", `Cannot use the template ${template}: ${why}`);
  if (kind === "json") {
    for (const { name, inText } of parts) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of ours
      if (name === "value" && inText) throw refuse("${value} within quotes; it brings its own, or take ${text}");
      if (name !== null && name !== "value" && !inText) throw refuse(`\${${name}} must stand within quotes`);
    }
  }
  return (filling, names) => {
    const filled = parts.map(({ literal, name }) => {
      if (name === null) return literal;
      if (name === "value") return filling.json;
      const text = name === "text" ? filling.text : fillNames(`\${${name}}`, names);
      return kind === "json" ? JSON.stringify(text).slice(1, -1) : text;
    });
    const payload = filled.join("");
    if (kind === "json" && !isJson(payload)) throw refuse("with the value filled in it is not JSON");
    return payload;
  };
}

interface Part {
  readonly literal: string;
  /** null: the literal stands */
  readonly name: string | null;
  /** it stands between the quotes of a JSON text */
  readonly inText: boolean;
}

function splitTemplate(template: string): Part[] {
  const parts: Part[] = [];
  let inText = false;
  let at = 0;
  const literal = (to: number) => {
    const text = template.slice(at, to);
    for (let i = 0; i < text.length; i++) {
      if (inText && text[i] === "\\") i++;
      else if (text[i] === '"') inText = !inText;
    }
    if (text !== "") parts.push({ literal: text, name: null, inText });
  };
  for (const match of template.matchAll(placeholder)) {
    literal(match.index);
    parts.push({ literal: "", name: match[1]!, inText });
    at = match.index + match[0].length;
  }
  literal(template.length);
  return parts;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
