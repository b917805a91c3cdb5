import { createHash } from "node:crypto";
import { isObject } from "@penstock/model";
import { type EkuiperClient, refusalText } from "./ekuiper-client.ts";
import type { ToEkuiper } from "./to-ekuiper.ts";

/** What became of a rule at an eKuiper: it is there, or why not. */
export type Placed = { readonly hash: string; readonly refusal: string | null };

/** By what a rule there is known to be the same: it, and the streams it reads. */
export function hashOf({ rule, streams }: ToEkuiper): string {
  const text = JSON.stringify([rule, [...streams].map(([name, { sql }]) => [name, sql])]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Makes what is wanted, and drops what was made before and is wanted no more. Names begin with `prefix`; what has another
 * name is somebody else's and is left alone. Doing it twice changes nothing, so a rule that is there already goes on.
 *
 * @param before  what became of each rule the last time; none: nobody knows
 * @returns by id
 * @throws AppError rules/ekuiper-unreachable; what was done so far stays done
 */
export async function synchronize(options: {
  readonly client: EkuiperClient;
  readonly wanted: readonly ToEkuiper[];
  readonly before: ReadonlyMap<string, Placed>;
  readonly prefix: string;
}): Promise<Map<string, Placed>> {
  const { client, wanted, before, prefix } = options;
  const there = {
    rules: await namesOf(client, "rules", prefix),
    streams: await namesOf(client, "streams", prefix),
    tables: await namesOf(client, "tables", prefix),
  };
  const ids = new Set(wanted.map(({ id }) => id));
  for (const id of there.rules) if (!ids.has(id)) await drop(client, ["rules", id]);
  const placed = new Map<string, Placed>();
  const made = new Map<string, string | null>();
  for (const one of wanted) {
    const hash = hashOf(one);
    const known = before.get(one.id);
    // One that was refused is asked for again when it changes.
    const isAsBefore = known?.hash === hash && (known.refusal !== null || there.rules.has(one.id));
    if (isAsBefore || (known === undefined && there.rules.has(one.id) && (await hashThere(client, one.id)) === hash)) {
      placed.set(one.id, known ?? { hash, refusal: null });
      continue;
    }
    let refusal: string | null = null;
    for (const [name, { kind, sql }] of one.streams) {
      if (!made.has(name)) made.set(name, await putStream(client, { kind, name, sql, isThere: there[kind].has(name) }));
      refusal ??= made.get(name) ?? null;
    }
    refusal ??= await putRule(client, one, hash);
    placed.set(one.id, { hash, refusal });
  }
  const names = new Set(wanted.flatMap(({ streams }) => [...streams.keys()]));
  for (const kind of ["streams", "tables"] as const)
    for (const name of there[kind]) if (!names.has(name)) await drop(client, [kind, name]);
  return placed;
}

async function namesOf(
  client: EkuiperClient,
  kind: "rules" | "streams" | "tables",
  prefix: string,
): Promise<Set<string>> {
  const { body } = await client.ask("GET", [kind]);
  const names = (Array.isArray(body) ? body : []).map((one: unknown) => (isObject(one) ? one.id : one));
  return new Set(names.filter((name): name is string => typeof name === "string" && name.startsWith(prefix)));
}

async function drop(client: EkuiperClient, path: readonly string[]): Promise<void> {
  await client.ask("DELETE", path);
}

/** @returns null: it is there */
async function putStream(
  client: EkuiperClient,
  { kind, name, sql, isThere }: { kind: "streams" | "tables"; name: string; sql: string; isThere: boolean },
): Promise<string | null> {
  const answer = isThere ? await client.ask("PUT", [kind, name], { sql }) : await client.ask("POST", [kind], { sql });
  return answer.status < 300 ? null : `stream "${name}": ${refusalText(answer)}`;
}

/** @returns null: it is there */
async function putRule(client: EkuiperClient, { id, rule }: ToEkuiper, hash: string): Promise<string | null> {
  const answer = await client.ask("PUT", ["rules", id], { ...rule, tags: [tagOf(hash)] });
  return answer.status < 300 ? null : refusalText(answer);
}

async function hashThere(client: EkuiperClient, id: string): Promise<string | null> {
  const { body } = await client.ask("GET", ["rules", id]);
  const tags: unknown = isObject(body) ? body.tags : null;
  const tag: unknown = Array.isArray(tags) ? tags[0] : null;
  return typeof tag === "string" && tag.startsWith(tagOf("")) ? tag.slice(tagOf("").length) : null;
}

function tagOf(hash: string): string {
  return `penstock:${hash}`;
}
