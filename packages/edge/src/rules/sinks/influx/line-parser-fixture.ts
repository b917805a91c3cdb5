/** A reader of line protocol that is not the product's: character by character, as the specification tells it. */
export interface ReadPoint {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** a float is a number; an integer and an unsigned one are bigint */
  readonly fields: Readonly<Record<string, number | bigint | string | boolean>>;
  readonly time: bigint;
}

export function readLines(text: string): ReadPoint[] {
  const points: ReadPoint[] = [];
  let at = 0;
  /** up to one of `ends`, where only those in `escapable` are escaped by a backslash */
  const word = (ends: string, escapable: string): string => {
    let found = "";
    for (; at < text.length; at++) {
      const one = text[at]!;
      if (one === "\\" && at + 1 < text.length && escapable.includes(text[at + 1]!)) found += text[++at];
      else if (ends.includes(one)) return found;
      else found += one;
    }
    return found;
  };
  const value = (): number | bigint | string | boolean => {
    if (text[at] === '"') {
      at++;
      const found = word('"', '"\\');
      at++;
      return found;
    }
    const raw = word(", \n", "");
    if (/^-?\d+[iu]$/.test(raw)) return BigInt(raw.slice(0, -1));
    if (raw === "true" || raw === "false") return raw === "true";
    if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(raw)) throw new Error(`no value: ${raw}`);
    return Number(raw);
  };
  while (at < text.length) {
    const measurement = word(", \n", ", ");
    const tags: Record<string, string> = Object.create(null) as Record<string, string>;
    while (text[at] === ",") {
      at++;
      const name = word("=", ",= ");
      at++;
      tags[name] = word(", \n", ",= ");
    }
    const fields: ReadPoint["fields"] = Object.create(null) as Record<string, never>;
    do {
      at++;
      const name = word("=", ",= ");
      at++;
      (fields as Record<string, unknown>)[name] = value();
    } while (text[at] === ",");
    at++;
    points.push({ measurement, tags, fields, time: BigInt(word("\n", "")) });
    at++;
  }
  return points;
}
