import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@penstock/api";
import { codeOf } from "@penstock/model";
import type { SimRandom } from "@penstock/testkit";
import { isRuledOut, type OrderProperty, orderDevices, orderProperties } from "./order-device.ts";
import { askDesired, putDesired, type SetAnswer } from "./put-desired.ts";

/** What was set last, and what was set before it, by version. */
export interface Order {
  readonly device: (typeof orderDevices)[number];
  readonly property: OrderProperty;
  readonly last: SetAnswer;
  readonly values: ReadonlyMap<number, number>;
  /** what asking for the outcome of the version before the last one was answered; null when nobody asked */
  readonly before: { readonly version: number; readonly answer: string } | null;
}

/**
 * Sets properties that end in different ways, the whole run through: refused by the machine, taken and not kept by it, with
 * little time, and two at once. Some properties get their last value in the midst of the faults, the others after them.
 */
export class Orders {
  readonly orders: Order[] = [];
  readonly #client: () => Client;
  readonly #random: SimRandom;
  readonly #ending = new AbortController();
  readonly #loops: Promise<void>[] = [];
  set = 0;

  constructor(options: {
    readonly client: () => Client;
    readonly random: SimRandom;
    /** of the plan: until when the last values under faults are set */
    readonly durationMs: number;
  }) {
    this.#client = options.client;
    this.#random = options.random;
    for (const device of orderDevices) {
      for (const property of orderProperties) {
        const isEarly = device !== orderDevices[0];
        const untilMs = isEarly ? options.durationMs * (0.2 + this.#random.number() * 0.7) : Number.POSITIVE_INFINITY;
        this.#loops.push(this.#run(device, property, untilMs));
      }
    }
    // A refusal is told by `end`, not before.
    for (const loop of this.#loops) loop.catch(() => {});
  }

  /** Resolves when each property has its last value. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#loops);
  }

  async #run(device: Order["device"], property: OrderProperty, untilMs: number): Promise<void> {
    const { signal } = this.#ending;
    const values = new Map<number, number>();
    let value = 0;
    const put = async (): Promise<{ answer: SetAnswer; again: () => Promise<SetAnswer> }> => {
      value++;
      const request = {
        ...{ client: this.#client, device, property, value, idempotencyKey: randomUUID() },
        ttl: property === "brief" ? `${this.#random.between(100, 2500)}ms` : "30m",
      };
      const answer = await putDesired(request);
      this.set++;
      values.set(answer.version, value);
      return { answer, again: () => askDesired({ ...request, wait: "10s" }) };
    };
    const stopAt = performance.now() + untilMs;
    while (!signal.aborted && performance.now() < stopAt) {
      await put();
      await sleep(this.#random.between(200, 2000), undefined, { signal }).catch(() => {});
    }
    // The last is one that must end as the property is made for.
    while (!isRuledOut(value + (property === "raced" ? 2 : 1))) await put();
    const first = property === "raced" ? await put() : null;
    const { answer: last } = await put();
    const before = first === null ? null : { version: first.answer.version, answer: await outcome(first.again) };
    this.orders.push({ device, property, last, values, before });
  }
}

/** @returns the state, or the code of the problem */
async function outcome(ask: () => Promise<SetAnswer>): Promise<string> {
  try {
    return (await ask()).state;
  } catch (error) {
    return codeOf(error);
  }
}
