import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@penstock/api";
import { codeOf, isRetriable } from "@penstock/model";
import type { SimRandom } from "@penstock/testkit";
import { setpointDevice, setpointNames } from "./devices.ts";

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
  /** sets that were answered, and how many of them after an attempt without an answer */
  set = 0;
  setAgain = 0;

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
    const idempotencyKey = randomUUID();
    const giveUpAt = performance.now() + 120_000;
    for (let attempt = 1; ; attempt++) {
      try {
        const { version } = await this.#client().twins.setDesired({
          params: { tenant: "default", device: setpointDevice, property },
          body: { value, ttl: "30m" },
          query: { wait: "0s" },
          idempotencyKey,
          signal: AbortSignal.timeout(5000),
        });
        this.set++;
        if (attempt > 1) this.setAgain++;
        this.#last.set(property, { version, value });
        return;
      } catch (error) {
        const mayTryAgain = isRetriable(error) || codeOf(error) === "aborted";
        if (!mayTryAgain || performance.now() > giveUpAt) throw error;
        await sleep(200);
      }
    }
  }
}
