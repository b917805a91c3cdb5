import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveProperty, reportText } from "./effective-device.ts";

test("reportText() says every policy of a property's reports in words", () => {
  const cases = [
    [undefined, "each reading"],
    [{ toCloud: false, every: "1h" }, "not to the cloud"],
    [{ every: "1h" }, "every 1h"],
    [{ at: ["18:00", "06:00"] }, "at 06:00, 18:00"],
    [{ onChange: {} }, "on change"],
    [{ onChange: { deadband: { percent: 5 } }, atLeast: "10m" }, "on change by 5, at least every 10m"],
    [{ onChange: { deadband: { absolute: 0.5 } }, every: "1m" }, "on change by 0.5, every 1m"],
  ] as const;
  for (const [report, text] of cases) {
    const spec = { type: "float64", minimum: 0, maximum: 100, ...(report === undefined ? {} : { report }) } as const;
    assert.equal(reportText(effectiveProperty("p", spec as Parameters<typeof effectiveProperty>[1]).report), text);
  }
});
