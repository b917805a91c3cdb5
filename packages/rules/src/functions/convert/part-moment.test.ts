import assert from "node:assert/strict";
import { test } from "node:test";
import { momentOf } from "./part-moment.ts";

const micros = (value: string | number | bigint, timeZone = "UTC") => momentOf(value, timeZone)?.micros;
const at = (iso: string) => Date.parse(iso) * 1000;

test("momentOf() reads texts with an offset, or in the zone of the gateway", () => {
  assert.equal(micros("2026-11-01T12:34:56.789Z"), at("2026-11-01T12:34:56.789Z"));
  assert.equal(micros("2026-11-01T12:34:56.789012Z"), at("2026-11-01T12:34:56.789Z") + 12);
  assert.equal(micros("2026-11-01 07:04:56-05:30"), at("2026-11-01T12:34:56Z"));
  assert.equal(micros("2026-11-01T14:34+0200"), at("2026-11-01T12:34:00Z"));
  assert.equal(micros("2026-11-01T14:34+02"), at("2026-11-01T12:34:00Z"));
  assert.equal(micros("2026-11-01", "Asia/Shanghai"), at("2026-10-31T16:00:00Z"));
  assert.equal(micros("2026-07-01 12:00:00", "Europe/Berlin"), at("2026-07-01T10:00:00Z"));
  assert.equal(micros("2026-12-01 12:00:00", "Europe/Berlin"), at("2026-12-01T11:00:00Z"));
});

test("momentOf() reads numbers as milliseconds since 1970, cut to whole ones", () => {
  assert.equal(micros(1500n), 1_500_000);
  assert.equal(micros(-0.9), 0);
  assert.equal(micros(1500.9), 1_500_000);
});

test("momentOf() gives null for what is no moment", () => {
  for (const text of ["", "noon", "2026-02-29", "2026-13-01", "2026-11-01T24:00", "2026-11-01T12:60", "12:34:56"]) {
    assert.equal(momentOf(text, "UTC"), null, text);
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e18, 10n ** 18n, true, []]) {
    assert.equal(momentOf(value, "UTC"), null);
  }
});
