import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@penstock/api";
import { codeOf, isRetriable } from "@penstock/model";
import { until } from "./until.ts";

export interface SetAnswer {
  readonly version: number;
  readonly value: number;
  readonly state: string;
  /** RFC 3339 */
  readonly expiresAt: string;
}

/** An attempt that has no answer by then is made again: the line to the cloud may just be down. */
const answerMs = 15_000;
const giveUpMs = 120_000;

export interface DesiredPut {
  /** asked at every attempt: after a restart of the cloud there may be a new login */
  readonly client: () => Client;
  readonly device: string;
  readonly property: string;
  readonly value: number;
  readonly ttl: string;
  readonly wait: string;
  readonly idempotencyKey: string;
}

/**
 * Sets a value; one that got no answer is sent again under the same key until it has one, as a careful client does.
 *
 * @throws AppError what became of the value, where that is known by the time of the answer: twin/…, mapper/…
 */
export async function askDesired(options: DesiredPut): Promise<SetAnswer> {
  const { client, device, property, value, ttl, wait, idempotencyKey } = options;
  const giveUpAt = performance.now() + giveUpMs;
  for (;;) {
    try {
      const { version, state, expiresAt } = await client().twins.setDesired({
        params: { tenant: "default", device, property },
        ...{ body: { value, ttl }, query: { wait }, idempotencyKey },
        signal: AbortSignal.timeout(answerMs),
      });
      return { version, value, state, expiresAt };
    } catch (error) {
      const mayTryAgain = !isOutcome(error) && (isRetriable(error) || codeOf(error) === "aborted");
      if (!mayTryAgain || performance.now() > giveUpAt) throw error;
      await sleep(200);
    }
  }
}

/** As `askDesired`; a value that has ended by the time of the answer was set like any other. */
export async function putDesired(options: Omit<DesiredPut, "wait">): Promise<SetAnswer> {
  try {
    return await askDesired({ ...options, wait: "0s" });
  } catch (error) {
    if (isOutcome(error)) return ended(options);
    throw error;
  }
}

function isOutcome(error: unknown): boolean {
  return /^(twin|mapper)\//.test(codeOf(error));
}

/** The answer said how it ended, not which version it was. */
async function ended({ client, device, property, value }: Omit<DesiredPut, "wait">): Promise<SetAnswer> {
  const read = () => client().twins.getDesired({ params: { tenant: "default", device, property } });
  const found = await until(() => read(), 60_000);
  if (found === null || found.value !== value) {
    throw new Error(`"${device}/${property}" was set to ${value} and is ${JSON.stringify(found)}`);
  }
  const { version, state, expiresAt } = found;
  return { version, value, state, expiresAt };
}
