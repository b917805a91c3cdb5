import type { RuleActionOf } from "@penstock/model";
import type { RedisClientType } from "@redis/client";
import type { Courier, Parcel, Refusal } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { saidBy, unreachable } from "../delivery/peer-error.ts";
import type { OpenSink } from "../sink-parts.ts";
import { commandsOf } from "./redis-commands.ts";

const connectTimeoutMs = 10_000;
const commandTimeoutMs = 10_000;
/**
 * Answers that are not about what was sent: the server is starting, full, busy, only a copy, or does not let us in yet.
 *
 * @source Redis, docs/reference/protocol-spec: the first word of an error is its kind
 */
const passing =
  /^(LOADING|OOM|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM|UNBLOCKED)\b/;

/** Keys, lists, hashes, streams or channels of a Redis server; the commands of a message go in one write. */
class RedisCourier implements Courier {
  readonly takesMany = true;
  readonly #settings: RuleActionOf<"redis">;
  #client: RedisClientType | null = null;

  constructor(settings: RuleActionOf<"redis">) {
    this.#settings = settings;
  }

  addressOf(): string {
    return "";
  }

  async send({ rows }: Parcel, signal: AbortSignal): Promise<readonly Refusal[]> {
    const client = await this.#connected();
    const onAbort = () => client.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const outcomes = await Promise.all(rows.map(({ row }) => this.#row(client, row)));
      return outcomes.flatMap((reason, at) => (reason === null ? [] : [{ at, reason }]));
    } catch (error) {
      this.#client = null;
      if (client.isOpen) client.destroy();
      throw unreachable(`write to ${new URL(this.#settings.url).host}`, saidBy(error), error);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** @returns why it is refused; null: it is there. @throws what is not about the row */
  async #row(client: RedisClientType, row: Parcel["rows"][number]["row"]): Promise<string | null> {
    const { ErrorReply, AbortError, TimeoutError } = await import("@redis/client");
    try {
      const commands = commandsOf(this.#settings, row);
      await Promise.all(commands.map((command) => client.sendCommand([...command])));
      return null;
    } catch (error) {
      const isReply = error instanceof ErrorReply && !passing.test(error.message);
      const isOurs = (error as { code?: string }).code === "rules/sink-refused";
      if ((isReply || isOurs) && !(error instanceof AbortError || error instanceof TimeoutError)) return saidBy(error);
      throw error;
    }
  }

  async #connected(): Promise<RedisClientType> {
    if (this.#client?.isReady === true) return this.#client;
    const { createClient } = await import("@redis/client");
    const { url, user, password } = this.#settings;
    const client = createClient({
      ...{ url, disableOfflineQueue: true, commandOptions: { timeout: commandTimeoutMs } },
      ...(user !== undefined && { username: user }),
      ...(password !== undefined && { password }),
      socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
    }) as unknown as RedisClientType;
    client.on("error", () => {});
    try {
      await client.connect();
    } catch (error) {
      if (client.isOpen) client.destroy();
      throw unreachable(`reach ${new URL(url).host}`, saidBy(error), error);
    }
    this.#client = client;
    return client;
  }

  async close(): Promise<void> {
    if (this.#client?.isOpen === true) await this.#client.close().catch(() => {});
    this.#client = null;
  }
}

export const openRedis: OpenSink<"redis"> = (spec, parts) =>
  new Delivery({ kind: "redis", spec, courier: new RedisCourier(spec), parts });
