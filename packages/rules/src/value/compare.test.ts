import assert from "node:assert/strict";
import { test } from "node:test";
import { zoneOf } from "../functions/time/part-zone.ts";
import { compares, order } from "./compare.ts";
import { Instant } from "./value.ts";

const noon = new Instant(Date.UTC(2026, 10, 1, 12) * 1000);

test("order() reads a text beside a moment on the clocks of the zone that is meant, never on the machine's", () => {
  const shanghai = { zone: zoneOf("Asia/Shanghai"), mode: "strict" } as const;
  const zone = process.env.TZ;
  try {
    for (const machine of ["America/New_York", "Asia/Kolkata"]) {
      process.env.TZ = machine;
      assert.equal(order(noon, "2026-11-01T12:00"), 0);
      assert.equal(order("2026-11-01 20:00:00", noon, shanghai), 0);
      assert.ok(compares(">", noon, "2026-11-01T13:00:00+02:00", shanghai));
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
  assert.throws(() => order(noon, "soon"), /Cannot compare datetime/);
});
