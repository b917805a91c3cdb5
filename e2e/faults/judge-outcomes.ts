import type { OrderProperty, SeenWrite } from "./order-device.ts";

/** What the cloud says of a desired value. */
export interface Told {
  readonly version: number;
  readonly state: string;
  readonly reason: string | null;
  /** microseconds when it was set, sent, written and ended, and when the cloud heard of that; null = not that it knew */
  readonly times: readonly (number | null)[];
}

/** The last value of a property and what became of it, at all three places. */
export interface OutcomeFact {
  readonly device: string;
  readonly uid: string;
  readonly property: OrderProperty;
  readonly version: number;
  readonly value: number;
  /** milliseconds since 1970 */
  readonly expiresAt: number;
  readonly told: Told;
  /** null: the gateway never heard of the property */
  readonly gateway: {
    readonly version: number;
    readonly isOpen: boolean;
    readonly state: string | null;
    readonly reason: string | null;
    /** reports that the cloud has not taken */
    readonly untold: number;
  } | null;
  readonly atDevice: number;
  /** what the device took, in order */
  readonly writes: readonly SeenWrite[];
  /** every value that was set, by version */
  readonly values: ReadonlyMap<number, number>;
  /** the version before the last one where they raced, and what asking for its outcome was answered */
  readonly before: { readonly version: number; readonly answer: string } | null;
}

const steps = ["set", "sent", "written", "ended", "heard of"] as const;
const endsOf: Readonly<Record<OrderProperty, readonly string[]>> = {
  refused: ["failed mapper/value-refused"],
  deaf: ["failed twin/not-confirmed"],
  brief: ["confirmed null", "expired twin/expired"],
  raced: ["confirmed null"],
};
/**
 * A write may reach the device so much later than its time: the gateway counts what was spent on the line, but for the 1 s
 * that it cannot know (edge/src/link/transit.ts); then the time-out of what was asked of the device before it.
 */
const lateMs = 1000 + 2000;

/**
 * One sentence for each thing that is wrong with how desired values ended: each in one final state that fits what the
 * device does, the same with the same reason at cloud and gateway, its steps with times in order, and the device holding
 * what the state says, never an older value after a newer one, and nothing written after its time.
 */
export function judgeOutcomes(facts: readonly OutcomeFact[]): string[] {
  return facts.flatMap((fact) => {
    const { device, property, version, value } = fact;
    const wrong = [...ends(fact), ...agreement(fact), ...times(fact), ...machine(fact), ...order(fact)];
    return wrong.map((text) => `desired "${device}/${property}" version ${version} (${value}): ${text}`);
  });
}

function* ends({ property, version, told, before }: OutcomeFact): Generator<string> {
  if (told.version !== version) yield `the cloud tells of version ${told.version}`;
  const ended = `${told.state} ${told.reason}`;
  if (!endsOf[property].includes(ended)) yield `ended ${ended}, must be ${endsOf[property].join(" or ")}`;
  if (before !== null && before.answer !== "twin/superseded") {
    yield `version ${before.version} before it was answered ${before.answer}`;
  }
}

function* agreement({ version, told, gateway }: OutcomeFact): Generator<string> {
  if (gateway === null || gateway.version < version) {
    if (told.state !== "expired") yield `${told.state} in the cloud, and the gateway never took it`;
    return;
  }
  if (gateway.version > version) yield `the gateway knows version ${gateway.version}`;
  if (gateway.isOpen) yield `${told.state} in the cloud, and not ended at the gateway`;
  else if (gateway.state !== told.state || gateway.reason !== told.reason) {
    yield `${told.state} ${told.reason} in the cloud, ${gateway.state} ${gateway.reason} at the gateway`;
  }
  if (gateway.untold > 0) yield `${gateway.untold} reports have not been taken`;
}

function* times({ told, gateway, version }: OutcomeFact): Generator<string> {
  const isTaken = gateway !== null && gateway.version >= version;
  const isConfirmed = told.state === "confirmed";
  let latest = { step: "set", time: 0 };
  for (const [i, step] of steps.entries()) {
    const time = told.times[i] ?? null;
    // What expired before the gateway's word came was not sent in time.
    const isNeeded = step === "written" ? isConfirmed : step === "sent" ? isTaken && told.state !== "expired" : true;
    if (time === null) {
      if (isNeeded) yield `ended ${told.state} without the time when it was ${step}`;
      continue;
    }
    if (time < latest.time) yield `${step} ${latest.time - time} µs before it was ${latest.step}`;
    latest = { step, time };
  }
}

function* machine({
  property,
  version,
  value,
  told,
  gateway,
  atDevice,
  writes,
  expiresAt,
}: OutcomeFact): Generator<string> {
  const isWritten = writes.some((write) => write.value === value);
  if (told.state === "confirmed" && atDevice !== value) yield `confirmed, and the device has ${atDevice}`;
  if (told.state === "failed" && atDevice === value) yield "failed, and the device has it";
  if (property === "refused" && isWritten) yield "the device took what it refuses";
  const isTaken = gateway !== null && gateway.version >= version;
  if (!isTaken && isWritten) yield "written by a gateway that never took it";
  const late = writes.findLast((write) => write.value === value && write.at > expiresAt + lateMs);
  if (late !== undefined) yield `written ${late.at - expiresAt} ms after its time to live`;
}

function* order({ writes, values }: OutcomeFact): Generator<string> {
  const versionOf = new Map([...values].map(([version, value]) => [value, version]));
  let highest = 0;
  for (const { value } of writes) {
    const version = versionOf.get(value);
    if (version === undefined) {
      yield `the device was told ${value}, which nobody set`;
      continue;
    }
    if (version < highest) yield `version ${version} was written after version ${highest}`;
    highest = Math.max(highest, version);
  }
}
