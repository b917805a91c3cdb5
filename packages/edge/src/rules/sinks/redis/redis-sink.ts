import type { RuleActionOf } from "@penstock/model";
import type { RedisClientType } from "@redis/client";
import type { Courier, Parcel, Refusal } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { saidBy, unreachable } from "../delivery/peer-error.ts";
import type { OpenSink } from "../sink-parts.ts";
import { connectRedis, isRefusal } from "./redis-client.ts";
import { commandsOf } from "./redis-commands.ts";

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
    try {
      const commands = commandsOf(this.#settings, row);
      await Promise.all(commands.map((command) => client.sendCommand([...command])));
      return null;
    } catch (error) {
      const isOurs = (error as { code?: string }).code === "rules/sink-refused";
      if (isOurs || (await isRefusal(error))) return saidBy(error);
      throw error;
    }
  }

  async #connected(): Promise<RedisClientType> {
    if (this.#client?.isReady === true) return this.#client;
    this.#client = await connectRedis(this.#settings);
    return this.#client;
  }

  async close(): Promise<void> {
    if (this.#client?.isOpen === true) await this.#client.close().catch(() => {});
    this.#client = null;
  }
}

export const openRedis: OpenSink<"redis"> = (spec, parts) =>
  new Delivery({ kind: "redis", spec, courier: new RedisCourier(spec), parts });
