/** `text` of a string is what it says, without quotes and escapes. */
export interface PathToken {
  readonly kind: "number" | "string" | "name" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

const symbols = ["==", "!=", "<=", ">=", "&&", "||", "=~", "!~", "**", "??", "..", ..."$@.[]()*?:,!-+/%<>"];
const blank = /\s+/y;
const number = /\d+(\.\d+)?([eE][+-]?\d+)?/y;
const name = /[\p{L}_][\p{L}\p{N}_]*/uy;
const string = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/sy;
const escaped = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs;
const letters: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", a: "\x07" };

/** Each expression above reads a character once and never goes back over it, so the whole is linear. */
export function readPathTokens(text: string, wrong: (at: number, why: string) => Error): PathToken[] {
  const tokens: PathToken[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  const readers = [
    { kind: "number" as const, read: () => take(number) },
    { kind: "string" as const, read: () => take(string) },
    { kind: "name" as const, read: () => take(name) },
    { kind: "symbol" as const, read: () => symbols.find((one) => text.startsWith(one, at)) ?? null },
  ];
  for (at += take(blank)?.length ?? 0; at < text.length; at += take(blank)?.length ?? 0) {
    let found: string | null = null;
    for (const { kind, read } of readers) {
      found = read();
      if (found === null) continue;
      tokens.push({ kind, text: kind === "string" ? unquoted(found) : found, at });
      at += found.length;
      break;
    }
    if (found === null) throw wrong(at, `${JSON.stringify(text[at])} means nothing here`);
  }
  tokens.push({ kind: "end", text: "", at });
  return tokens;
}

function unquoted(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith("`")) return inner;
  return inner.replace(escaped, (_all, four: string, two: string, letter: string) => {
    const code = four ?? two;
    return code === undefined ? (letters[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16));
  });
}
