import type { ObjectValue } from "@penstock/rules";
import { refused } from "../delivery/peer-error.ts";
import { columnsIn, filled } from "../template.ts";

/** RFC 9110, 5.5: what a field value may not hold */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const notInHeader = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

/** Where a request goes. */
export interface HttpAddress {
  readonly url: string;
  /** by names in lower case */
  readonly headers: Readonly<Record<string, string>>;
}

/** The address of a row: a column in the URL is encoded as a part of it. @throws AppError rules/sink-refused */
export function filledAddress(
  { url, headers = {} }: { readonly url: string; readonly headers?: Readonly<Record<string, string>> },
  row: ObjectValue,
): HttpAddress {
  const parts = columnsIn(url).map((name) => [name, encodeURIComponent(filled(`\${${name}}`, row))] as const);
  const to = filled(url, { ...row, ...Object.fromEntries(parts) });
  if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol)) throw refused(`send to "${to}"`, "it is no URL");
  const filledHeaders = Object.entries(headers).map(([name, text]) => {
    const value = filled(text, row);
    if (notInHeader.test(value)) throw refused("send", `header ${name} would hold what no header may`);
    return [name.toLowerCase(), value];
  });
  return { url: to, headers: Object.fromEntries(filledHeaders) };
}
