import assert from "node:assert/strict";
import { test } from "node:test";
import { whyDevice, whyGateway } from "./why.ts";

const cycle = { cadence: "every 1s", properties: 1, longestMs: null, reportMs: null, overruns: 3 };
const device = {
  ...{ state: "online", reason: null, message: null, since: null, lastReadingAt: null, cycles: [], findings: [] },
} as const;

test("whyDevice() names what keeps a device from telling values", () => {
  const cases: [object, RegExp][] = [
    [{}, /^it is online; no reading has come yet$/],
    [
      { state: "offline", reason: "mapper/timeout", message: "No answer in 1 s" },
      /^it is offline: No answer in 1 s \(mapper\/timeout\); no reading/,
    ],
    [{ state: "unknown" }, /^it is unknown: its gateway has not told of it yet/],
    [{ cycles: [{ ...cycle, measuredMs: 2400.4, isOverrun: true }] }, /cannot be read every 1s: it takes 2400 ms/],
    [{ findings: [{ field: "spec.address", value: "", rule: "must be known" }] }, /^spec\.address must be known/],
  ];
  for (const [status, text] of cases) assert.match(whyDevice({ status: { ...device, ...status } as never }), text);
});

test("whyGateway() tells one that never joined from one that is away", () => {
  const well = { connected: true, joined: true, lastSeenAt: null, outbox: null };
  const cases: [object, RegExp][] = [
    [{}, /^it is connected$/],
    [{ outbox: { readings: 7, full: true } }, /7 readings wait in it; its outbox is full$/],
    [{ connected: false }, /never connected/],
    [{ connected: false, lastSeenAt: "2026-01-01T00:00:00.000000Z" }, /is not connected since/],
    [{ connected: false, joined: false }, /no machine has joined/],
  ];
  for (const [status, text] of cases) assert.match(whyGateway({ status: { ...well, ...status } as never }), text);
});
