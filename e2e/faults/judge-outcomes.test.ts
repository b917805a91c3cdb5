import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeOutcomes, type OutcomeFact } from "./judge-outcomes.ts";

type Change = { [K in keyof OutcomeFact]?: OutcomeFact[K] };
const at = 1_700_000_000_000;
const write = (value: number, ms = 0) => ({ property: "raced", value, at: at + ms }) as const;

/** Two raced, and the later one was confirmed. */
const well: OutcomeFact = {
  ...{ device: "orders-1", uid: "d1", property: "raced", version: 9, value: 9, expiresAt: at + 1000 },
  told: { version: 9, state: "confirmed", reason: null, times: [10, 20, 30, 40, 50] },
  gateway: { version: 9, isOpen: false, state: "confirmed", reason: null, untold: 0 },
  ...{ atDevice: 9, writes: [write(7), write(8), write(8), write(9)] },
  values: new Map([7, 8, 9].map((version) => [version, version])),
  before: { version: 8, answer: "twin/superseded" },
};
const refused: OutcomeFact = {
  ...{ ...well, property: "refused", before: null, atDevice: 8, writes: [write(7), write(8)] },
  told: { version: 9, state: "failed", reason: "mapper/value-refused", times: [10, 20, null, 40, 50] },
  gateway: { version: 9, isOpen: false, state: "failed", reason: "mapper/value-refused", untold: 0 },
};
/** The line was down for its whole life. */
const unheard: OutcomeFact = {
  ...{ ...refused, property: "brief", gateway: { ...well.gateway!, version: 8 } },
  told: { version: 9, state: "expired", reason: "twin/expired", times: [10, null, null, 40, 50] },
};

test("judgeOutcomes() finds nothing where each value ended as it should, at all three places", () => {
  const lateByDevice = { ...well, writes: [write(9, 4000)] };
  assert.deepEqual(judgeOutcomes([lateByDevice]), []);
  assert.deepEqual(judgeOutcomes([well, refused, unheard, { ...unheard, gateway: null, writes: [] }]), []);
});

const wrongs: readonly { readonly name: string; readonly fact: OutcomeFact; readonly says: RegExp }[] = [
  of("has no end", { told: { ...well.told, state: "written" } }, /ended written null, must be confirmed null/),
  of("ends in another way", { told: { ...well.told, state: "failed", reason: "mapper/timeout" } }, /must be confirmed/),
  of("is told of an older version", { told: { ...well.told, version: 8 } }, /the cloud tells of version 8/),
  of(
    "raced and is not superseded",
    { before: { version: 8, answer: "confirmed" } },
    /version 8 before it was answered confirmed/,
  ),
  of("never reached the gateway", { gateway: null }, /the gateway never took it/),
  of(
    "has another reason at the gateway",
    { gateway: { ...refused.gateway!, reason: "mapper/timeout" } },
    /at the ga/,
    refused,
  ),
  of("goes on at the gateway", { gateway: { ...well.gateway!, isOpen: true } }, /not ended at the gateway/),
  of("is reported again and again", { gateway: { ...well.gateway!, untold: 1 } }, /1 reports have not been taken/),
  of(
    "has no time of a step",
    { told: { ...well.told, times: [10, 20, null, 40, 50] } },
    /without the time when it was written/,
  ),
  of(
    "has steps in disorder",
    { told: { ...well.told, times: [10, 35, 30, 40, 50] } },
    /written 5 µs before it was sent/,
  ),
  of(
    "ended in time to come",
    { told: { ...well.told, times: [10, 20, 30, 60, 50] } },
    /heard of 10 µs before it was ended/,
  ),
  of("is not at the device", { atDevice: 8 }, /confirmed, and the device has 8/),
  of("failed and is at the device", { atDevice: 9 }, /failed, and the device has it/, refused),
  of("was overtaken", { writes: [write(9), write(8), write(9)] }, /version 8 was written after version 9/),
  of("is not known", { writes: [write(5)] }, /told 5, which nobody set/),
  of("came late", { writes: [write(9, 4001)] }, /written 3001 ms after its time/),
  of("was written unheard", { writes: [write(9)] }, /written by a gateway that never took it/, unheard),
];

for (const { name, fact, says } of wrongs) {
  test(`judgeOutcomes() finds a value that ${name}`, () => {
    const found = judgeOutcomes([fact]);
    assert.match(found.join("\n"), says);
    assert.match(found[0]!, /^desired "orders-1\/[a-z]+" version 9 \(9\): /);
  });
}

function of(name: string, change: Change, says: RegExp, base: OutcomeFact = well) {
  return { name, fact: { ...base, ...change }, says };
}
