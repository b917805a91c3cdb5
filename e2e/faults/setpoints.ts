import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@penstock/api";
import type { SimRandom } from "@penstock/testkit";
import { setpointDevice, setpointNames } from "./devices.ts";
import { putDesired } from "./put-desired.ts";

export interface LastSet {
  readonly version: number;
  readonly value: number;
}

/**
 * Sets the set-points again and again while the run goes on, whatever is down, and knows the highest version of each. One
 * that got no answer is sent again under the same idempotency key until it has one, as a careful client does.
 */
export class Setpoints {
  readonly #client: () => Client;
  readonly #random: SimRandom;
  readonly #ending = new AbortController();
  readonly #last = new Map<string, LastSet>();
  readonly #loops: Promise<void>[];
  /** sets that were answered */
  set = 0;

  /** @param options.client asked at every attempt: after a restart of the cloud there may be a new login */
  constructor(options: { readonly client: () => Client; readonly random: SimRandom }) {
    this.#client = options.client;
    this.#random = options.random;
    this.#loops = setpointNames.map((name) => this.#run(name));
    // A refusal is told by `end`, not before.
    for (const loop of this.#loops) loop.catch(() => {});
  }

  last(property: string): LastSet | null {
    return this.#last.get(property) ?? null;
  }

  /** No more are begun; resolves when each that was begun has its version. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#loops);
  }

  async #run(property: string): Promise<void> {
    const { signal } = this.#ending;
    for (let value = 1; !signal.aborted; value++) {
      await this.#put(property, value);
      await sleep(this.#random.between(200, 1500), undefined, { signal }).catch(() => {});
    }
  }

  async #put(property: string, value: number): Promise<void> {
    const request = { client: this.#client, device: setpointDevice, property, value, ttl: "30m" };
    const { version } = await putDesired({ ...request, idempotencyKey: randomUUID() });
    this.set++;
    this.#last.set(property, { version, value });
  }
}
