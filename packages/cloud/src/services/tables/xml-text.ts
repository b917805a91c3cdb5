/** The few things of XML that XLSX files are read by: text is found by its tags, no tree is made of it. */

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** @source XML 1.0, 4.1 and 4.6 (references), 2.11 (line ends) */
export function xmlUnescape(text: string): string {
  const lines = text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
  if (!lines.includes("&")) return lines;
  return lines.replaceAll(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Attributes of a start tag, without their prefixes. */
export function attributes(tag: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, double, single] of tag.matchAll(/(?:[\w-]+:)?([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    found[name!] = xmlUnescape(double ?? single ?? "");
  }
  return found;
}

/** Start tags of a name, with any prefix. */
export function startTags(xml: string, name: string): Record<string, string>[] {
  return [...xml.matchAll(new RegExp(`<(?:\\w+:)?${name}(?=[\\s/>])([^>]*)>`, "g"))].map(([, inner]) =>
    attributes(inner!),
  );
}

/**
 * The text of a string item: its runs joined, hints for pronunciation left out, "_x000D_" taken for what it stands for.
 *
 * @source ECMA-376-1:2016, 18.4.8 (si), 18.4.6 (rPh), 22.9.2.19 (ST_Xstring)
 */
export function stringItem(xml: string): string {
  const spoken = xml.includes("rPh") ? xml.replaceAll(/<(?:\w+:)?rPh[\s>].*?<\/(?:\w+:)?rPh>/gs, "") : xml;
  let text = "";
  for (const [, run] of spoken.matchAll(/<(?:\w+:)?t(?:\s[^>]*)?>([^<]*)<\/(?:\w+:)?t>/g)) text += xmlUnescape(run!);
  return xstring(text);
}

export function xstring(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replaceAll(/_x([0-9a-fA-F]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
