import assert from "node:assert/strict";
import { test } from "node:test";
import { type Lines, linesText, lineWarnings } from "./lines-table.ts";

const line = (more: Partial<Lines[number]>): Lines[number] => ({
  ...{
    connection: "bus-a",
    device: null,
    node: "gw-01",
    protocol: "modbus",
    unpredicted: null,
    state: "free",
    most: [],
  },
  ...{ before: null, after: { percent: 62.4, requestsPerSecond: 9.54 } },
  ...more,
});

test("linesText() shows before and after of each line, and warns of those that will be short of time", () => {
  const most = [
    { device: "press-1", cadence: "every 100ms", properties: 4, percent: 85.2, requestsPerSecond: 10 },
    { device: "oven\u001b[2J", cadence: "every 1s", properties: 1, percent: 3.44, requestsPerSecond: 1 },
  ];
  const text = linesText([
    line({
      ...{ state: "overloaded", most, before: { percent: 4, requestsPerSecond: 1 } },
      after: { percent: 108.6, requestsPerSecond: 12 },
    }),
    line({ connection: "bus-b", state: "tight", after: { percent: 93, requestsPerSecond: 0 } }),
    line({ connection: null, device: "pump" }),
    line({
      connection: "bus-c",
      after: null,
      state: "unknown",
      unpredicted: 'mapper "x" does not say what its reads cost',
    }),
  ]);
  assert.deepEqual(text.split("\n"), [
    "LINE           GATEWAY  PREDICTED LOAD  REQUESTS/S  STATE",
    "bus-a          gw-01    4 % → 109 %     1 → 12      overloaded",
    "bus-b          gw-01    - → 93 %        - → 0       tight",
    "pump (inline)  gw-01    - → 62 %        - → 9.5     free",
    'bus-c          gw-01    - → -           - → -       unknown: mapper "x" does not say what its reads cost',
    "Warning: line bus-a would be overloaded, at 109 % of its time: cycles will be skipped. " +
      "The most of it: press-1 every 100ms 85 %, oven·[2J every 1s 3.4 %",
    "Warning: line bus-b would be tight, at 93 % of its time: little is left for writes, retries and devices that are silent",
  ]);
  assert.equal(linesText([]), "");
  assert.deepEqual(lineWarnings([line({})]), []);
});
