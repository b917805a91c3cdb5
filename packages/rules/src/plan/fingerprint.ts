import type { Field, Mode, Select } from "../parse/ast.ts";

/** Parts of a parsed query, as its types have them. */
type Node = object | string | number | bigint | boolean | null | undefined;

/**
 * Tells whether a part of a query is the same part of another text: the same tokens, wherever they stand and however they
 * are spaced, with the same meaning of the aliases in it, over the same streams in the same mode. What a part remembers fits
 * where its fingerprint is the same.
 *
 * @returns 16 hexadecimal digits: a rule keeps them for as long as it runs, and the text would be many times as long
 */
export function fingerprinter(query: Select, mode: Mode): (...parts: readonly Node[]) => string {
  const aliases = new Map(
    query.fields.flatMap((one) => ("expr" in one && one.alias !== null ? [[one.alias, one] as const] : [])),
  );
  const streams = [query.from, ...query.joins.map(({ source }) => source)].map(({ name, alias }) => [name, alias]);
  return (...parts) => {
    const used = new Map<string, Field>();
    const look = (part: Node): void => {
      if (typeof part !== "object" || part === null) return;
      if ("t" in part && part.t === "name" && "name" in part) {
        const field = aliases.get(part.name as string);
        if (field === undefined || used.has(field.alias!)) return;
        used.set(field.alias!, field);
        look(field.expr);
        return;
      }
      for (const one of Object.values(part)) look(one as Node);
    };
    for (const part of parts) look(part);
    const meant = [...used].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { expr }]) => [name, expr]);
    return digest(JSON.stringify([mode, streams, parts, meant], withoutPlaces));
  };
}

function withoutPlaces(key: string, value: unknown): unknown {
  if (key === "start" || key === "end") return undefined;
  // A bigint and a float of one value are two literals.
  return typeof value === "bigint" ? { integer: String(value) } : value;
}

/** @source FNV-1a, 64 bits: Fowler, Noll and Vo, IETF draft-eastlake-fnv, 5 */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
