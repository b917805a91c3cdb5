import { limits, type RuleLookupSpec } from "@penstock/model";
import type { LookupRow, ObjectValue } from "@penstock/rules";
import type { RedisClientType } from "@redis/client";
import { saidBy, unreachable } from "../sinks/delivery/peer-error.ts";
import { connectRedis, isRefusal } from "../sinks/redis/redis-client.ts";
import { columnsIn, filled } from "../sinks/template.ts";
import { jsonRows } from "../sources/json-rows.ts";
import { bounded, type LookupPeer, type PeerAnswer } from "./lookup-peer.ts";
import { meets } from "./meets.ts";

type Settings = NonNullable<RuleLookupSpec["redis"]>;

/** Values of keys: rows as JSON, one or a list; lists of such texts; or hashes, whose fields are texts. */
export class RedisLookup implements LookupPeer {
  readonly name: string;
  readonly most = 500;
  readonly #settings: Settings;
  #client: RedisClientType | null = null;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.name = `redis://${new URL(settings.url).host}`;
  }

  async ask(questions: readonly ObjectValue[], signal: AbortSignal): Promise<readonly PeerAnswer[]> {
    const client = await this.#connected();
    if (signal.aborted) throw unreachable(`ask ${this.name}`, "it took too long");
    const onAbort = () => this.#drop(client);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const { as = "json" } = this.#settings;
      const keys = questions.map((question) => keyOf(this.#settings, question));
      const replies = as === "json" ? await texts(client, keys) : await Promise.all(keys.map(one(client, as)));
      return replies.map((reply, at) => (isFailure(reply) ? reply : this.#answer(reply, questions[at]!)));
    } catch (error) {
      this.#drop(client);
      throw unreachable(`ask ${this.name}`, saidBy(error), error);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    if (this.#client !== null) this.#drop(this.#client);
  }

  #answer(reply: readonly string[], question: ObjectValue): PeerAnswer {
    const { key } = this.#settings;
    // The key was made of them, so that a row need not repeat them.
    const named = key === undefined ? Object.keys(question) : columnsIn(key);
    const rows: LookupRow[] = [];
    for (const found of reply.map(jsonRows)) {
      if (found === null) return { failure: `the value of "${keyOf(this.#settings, question)}" is no row as JSON` };
      rows.push(...found.filter((row) => meets(row, question, (column) => named.includes(column))));
    }
    return bounded(rows);
  }

  async #connected(): Promise<RedisClientType> {
    if (this.#client?.isReady === true) return this.#client;
    this.#client = await connectRedis(this.#settings);
    return this.#client;
  }

  #drop(client: RedisClientType): void {
    if (this.#client === client) this.#client = null;
    if (client.isOpen) client.destroy();
  }
}

type Reply = readonly string[] | { readonly failure: string };

function isFailure(reply: Reply): reply is { readonly failure: string } {
  return "failure" in reply;
}

/** One question for all; what is no text counts as if it were not there. */
async function texts(client: RedisClientType, keys: readonly (string | null)[]): Promise<readonly Reply[]> {
  const asked = keys.filter((key) => key !== null);
  const found = asked.length === 0 ? [] : await client.sendCommand<(string | null)[]>(["MGET", ...asked]);
  const left = found.values();
  return keys.map((key) => {
    if (key === null) return noKey;
    const text = left.next().value ?? null;
    return text === null ? [] : [text];
  });
}

function one(client: RedisClientType, as: "list" | "hash") {
  return async (key: string | null): Promise<Reply> => {
    if (key === null) return noKey;
    try {
      if (as === "hash") return fieldsOf(await client.sendCommand(["HGETALL", key]));
      return await client.sendCommand<string[]>(["LRANGE", key, "0", String(limits.lookupRows)]);
    } catch (error) {
      if (await isRefusal(error)) return { failure: saidBy(error) };
      throw error;
    }
  };
}

/**
 * A hash as JSON, in a list of one; none where the key is not there.
 *
 * @param reply  a map, or name, value, name, value, as the server speaks RESP 3 or 2
 */
function fieldsOf(reply: unknown): readonly string[] {
  const pairs = Array.isArray(reply)
    ? reply.flatMap((name: unknown, at) => (at % 2 === 0 ? [[name, (reply as unknown[])[at + 1]] as const] : []))
    : reply instanceof Map
      ? [...reply]
      : Object.entries(reply as object);
  return pairs.length === 0 ? [] : [JSON.stringify(Object.fromEntries(pairs))];
}

const noKey = { failure: "it is asked by more than one column: state its key" } as const;

function keyOf({ key }: Settings, question: ObjectValue): string | null {
  const names = Object.keys(question);
  if (key !== undefined) return filled(key, question);
  return names.length === 1 ? filled(`\${${names[0]}}`, question) : null;
}
