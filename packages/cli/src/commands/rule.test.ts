import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleNodeStatus } from "@penstock/model";
import { whyAt } from "./rule.ts";

const well: RuleNodeStatus = {
  ...{ node: "gw-01", state: "running", generation: 2, reason: null, message: null },
  ...{ rowsIn: 0, rowsOut: 0, errors: 0, lastError: null },
};
const here = { isConnected: true, generation: 2 };

test("whyAt() names what keeps a rule from acting", () => {
  const cases: [Partial<RuleNodeStatus>, RegExp][] = [
    [{}, /no row has come/],
    [{ rowsIn: 7 }, /none of 7 rows gave a result: WHERE .* no window has closed/],
    [{ rowsIn: 7, rowsOut: 3 }, /not silent: 3 results of 7 rows/],
    [{ rowsIn: 7, rowsOut: 3, errors: 2, lastError: "no broker" }, /2 times .* last: no broker/],
    [{ state: "stopped" }, /spec\.state/],
    [{ state: "waiting", generation: 1 }, /generation 1, not 2 yet/],
    [
      { state: "refused", reason: "rules/no-device", message: "there is no stream" },
      /refused there: there is no stream \(rules\/no-device\)/,
    ],
  ];
  for (const [status, text] of cases) assert.match(whyAt({ ...well, ...status }, here), text);
  assert.match(
    whyAt(well, { ...here, isConnected: false }),
    /its gateway is not connected, so this is what it said last/,
  );
  assert.match(
    whyAt({ ...well, state: "unknown" }, { ...here, isConnected: false }),
    /not connected, and has not told/,
  );
});
