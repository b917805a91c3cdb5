import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Micros } from "./ids.ts";
import { formatDuration, formatMicros, parseDuration, parseMicros } from "./time.ts";

test("formatMicros() and parseMicros() are each other's inverse, before 1970 too", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_135_596_800_000_000, max: 8_640_000_000_000_000 }), (time) => {
      assert.equal(parseMicros(formatMicros(time as Micros)), time);
    }),
  );
  assert.equal(formatMicros(1_700_000_000_000_001 as Micros), "2023-11-14T22:13:20.000001Z");
});

test("parseMicros() takes offsets and cuts nanoseconds, and answers null to anything else", () => {
  assert.equal(parseMicros("2023-11-14T23:13:20.000001999+01:00"), 1_700_000_000_000_001);
  for (const text of ["", "2023-11-14", "2023-13-14T00:00:00Z", "2023-11-14T22:13:20", "now"])
    assert.equal(parseMicros(text), null, text);
});

test("parseDuration() reads what formatDuration() writes and refuses bare numbers", () => {
  fc.assert(fc.property(fc.nat(1_000_000_000), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
  assert.equal(parseDuration("1h30m"), 5_400_000);
  for (const text of ["", "5", "s", "1 s", "-1s", "1s2"]) assert.equal(parseDuration(text), null, text);
});
