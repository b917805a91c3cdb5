import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RowError } from "../../value/row-error.ts";
import { Instant, type Value } from "../../value/value.ts";
import type { CallContext } from "../define-function.ts";
import { scalarFunctions } from "../registry.ts";
import { testHost } from "../test-host.ts";
import { momentOfLocal, showTime } from "./part-calendar.ts";
import { zoneOf } from "./part-zone.ts";

function call(name: string, args: readonly Value[], context: Partial<CallContext>): Value {
  const rest = {
    ruleId: "r",
    host: testHost,
    now: 0,
    mode: "strict" as const,
    timeZone: "UTC",
    functionNamed: () => undefined,
  };
  return scalarFunctions.get(name)!.run(args, { ...rest, ...context });
}

const berlin = { timeZone: "Europe/Berlin" };
const ms = (text: string) => BigInt(Date.parse(text));
const at = (text: string) => new Instant(Date.parse(text) * 1000);

const wallClocks = new Map<string, Intl.DateTimeFormat>();
/** The platform's own words for what a clock shows, which our code does not use: it asks for the offset alone. */
function wallClock(zone: string, moment: number): number[] {
  const made =
    wallClocks.get(zone) ??
    new Intl.DateTimeFormat("en-US", {
      ...{ timeZone: zone, hourCycle: "h23", calendar: "iso8601", weekday: "short" },
      ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
    });
  wallClocks.set(zone, made);
  const parts = new Map(made.formatToParts(moment).map(({ type, value }) => [type as string, value]));
  const numbers = ["year", "month", "day", "hour", "minute", "second"].map((name) => Number(parts.get(name)));
  return [...numbers, ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(parts.get("weekday")!)];
}

const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
/** Years 1900 to 2100, often just beside the full hour, where changes are. */
const moments = fc.oneof(
  fc.integer({ min: -2_208_988_800_000, max: 4_102_444_800_000 }),
  fc
    .tuple(fc.integer({ min: -613_608, max: 1_139_568 }), fc.integer({ min: -2, max: 2 }))
    .map(([hour, off]) => hour * 3_600_000 + off),
);

test("showTime() shows what the platform's clocks show, in any zone", () => {
  fc.assert(
    fc.property(zones, moments, (name, moment) => {
      const { year, month, day, hour, minute, second, weekday } = showTime(new Instant(moment * 1000), zoneOf(name));
      assert.deepEqual([year, month, day, hour, minute, second, weekday], wallClock(name, moment));
    }),
    { numRuns: 600 },
  );
});

test("Zone.offsetAt() knows a change in the middle of an hour of UTC", () => {
  // Adelaide turns its clocks back at 16:30 UTC; what was asked of the hour before or after must not hold for all of it.
  const offsets = [16 * 60 + 29, 16 * 60 + 31, 16 * 60 + 29].map((minutes) =>
    zoneOf("Australia/Adelaide").offsetAt(Date.parse("2026-04-04T00:00:00Z") + minutes * 60_000),
  );
  assert.deepEqual(offsets, [37_800_000, 34_200_000, 37_800_000]);
});

test("momentOfLocal() is the inverse of showTime() in any zone, given the offset", () => {
  fc.assert(
    fc.property(zones, moments, (name, moment) => {
      const zone = zoneOf(name);
      const shown = showTime(new Instant(moment * 1000 + 7), zone);
      assert.equal(momentOfLocal(shown, { zone, mode: "strict", preferred: shown.offsetMs }), moment * 1000 + 7);
      try {
        const found = momentOfLocal(shown, { zone, mode: "strict" });
        assert.equal(found, moment * 1000 + 7);
      } catch (error) {
        assert.ok(error instanceof RowError && /clocks show that twice/.test(error.message), String(error));
      }
    }),
    { numRuns: 600 },
  );
});

test("a local day of 23 or 25 hours is a day", () => {
  // Clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October.
  assert.deepEqual(call("date_calc", [at("2026-03-28T11:00:00Z"), "1d"], berlin), at("2026-03-29T10:00:00Z"));
  assert.deepEqual(call("date_calc", [at("2026-03-28T11:00:00Z"), "24h"], berlin), at("2026-03-29T11:00:00Z"));
  assert.deepEqual(call("date_calc", [at("2026-10-24T10:00:00Z"), "1d"], berlin), at("2026-10-25T11:00:00Z"));
  assert.equal(call("date_diff", ["2026-03-29", "2026-03-30"], berlin), 1n);
  assert.equal(
    call("date_diff", ["2026-03-29", "2026-03-30"], { ...berlin, mode: "compat" }),
    23n * 3_600_000_000_000n,
  );
  assert.equal(
    call("date_diff", ["2026-10-25", "2026-10-26"], { ...berlin, mode: "compat" }),
    25n * 3_600_000_000_000n,
  );
  assert.equal(call("date_diff", [ms("2026-03-28T22:59:59Z"), ms("2026-03-28T23:00:00Z")], berlin), 1n);
  assert.equal(call("hour", [ms("2026-03-29T01:00:00Z")], berlin), 3n);
  // The day before at the first of two 02:30.
  assert.deepEqual(call("date_calc", [at("2026-10-24T00:30:00Z"), "1d"], berlin), at("2026-10-25T00:30:00Z"));
  // The day before at 02:30, on a day that has no 02:30: as much later as the clocks were turned.
  assert.deepEqual(call("date_calc", [at("2026-03-28T01:30:00Z"), "1d"], berlin), at("2026-03-29T01:30:00Z"));
});

test("a local time that is skipped or comes twice is refused in strict mode, and read as Go reads it in compat", () => {
  assert.throws(
    () => call("to_seconds", ["2026-03-29 02:30:00"], berlin),
    /2026-03-29T02:30:00 in Europe\/Berlin: no clock shows that/,
  );
  assert.throws(() => call("to_seconds", ["2026-10-25 02:30:00"], berlin), /clocks show that twice; add an offset/);
  assert.equal(call("to_seconds", ["2026-10-25 02:30:00+01:00"], berlin), ms("2026-10-25T01:30:00Z") / 1000n);
  const compat = { ...berlin, mode: "compat" as const };
  assert.equal(call("to_seconds", ["2026-03-29 02:30:00"], compat), ms("2026-03-29T01:30:00Z") / 1000n);
  assert.equal(call("to_seconds", ["2026-10-25 02:30:00"], compat), ms("2026-10-25T01:30:00Z") / 1000n);
  const newYork = { timeZone: "America/New_York", mode: "compat" as const };
  assert.equal(call("to_seconds", ["2026-11-01 01:30:00"], newYork), ms("2026-11-01T05:30:00Z") / 1000n);
  assert.equal(call("to_seconds", ["2026-03-08 02:30:00"], newYork), ms("2026-03-08T06:30:00Z") / 1000n);
});

test("the present is told on the rule's clocks", () => {
  const now = Date.parse("2026-11-01T23:30:00.250Z") * 1000;
  const shanghai = { timeZone: "Asia/Shanghai", now };
  assert.equal(call("cur_date", [], shanghai), "2026-11-02");
  assert.equal(call("cur_time", [2n], shanghai), "07:30:00.25");
  assert.equal(call("now", [], { ...shanghai, mode: "compat" }), "2026-11-02 07:30:00");
  assert.equal(call("from_unix_time", [1n], { ...shanghai, mode: "compat" }), "1970-01-01 08:00:01");
  assert.equal(call("cur_date", [], { timeZone: "Nowhere/New", now }), "2026-11-01", "a zone that is not known is UTC");
  assert.equal(call("format_time", [0n, "yyyy-MM-dd HH:mm XXX VV"], shanghai), "1970-01-01 08:00 +08:00 Asia/Shanghai");
});

test("a zone goes by any spelling and keeps it, and an offset is none", () => {
  assert.equal(call("format_time", [0n, "HH VV"], { timeZone: "eUROPE/bERLIN" }), "01 eUROPE/bERLIN");
  assert.equal(call("format_time", [0n, "HH VV"], berlin), "01 Europe/Berlin");
  assert.throws(() => zoneOf("+08:00"), /Cannot find the time zone "\+08:00"/);
  const abbreviations = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
  ].map((timeZone) => call("format_time", [ms("2026-07-01T00:00:00Z"), "z"], { timeZone }));
  assert.deepEqual(abbreviations, ["CEST", "EDT", "IST", "CST", "-03", "+0545"]);
});

test("texts that are a time, and texts that are none", () => {
  const seconds = (text: string, mode: "compat" | "strict") => {
    try {
      return call("to_seconds", [text], { mode });
    } catch (error) {
      assert.ok(error instanceof RowError);
      return null;
    }
  };
  const noon = 1_793_534_400n;
  for (const text of [
    "2026-11-01T12:00:00Z",
    "2026-11-01 12:00",
    "2026-11-01T20:00:00+08:00",
    "2026-11-01 12:00:00.999",
  ]) {
    for (const mode of ["compat", "strict"] as const) assert.equal(seconds(text, mode), noon, `${text} in ${mode}`);
  }
  for (const text of [
    "2026-11-1 12",
    "2026/11/01 12:00:00",
    "11/1/2026 12:00",
    "2026.11.01 12:00:00",
    "2026-11-01 20:00:00 +0800 CST",
  ]) {
    assert.equal(seconds(text, "compat"), noon, text);
    assert.equal(seconds(text, "strict"), null, text);
  }
  assert.equal(seconds("20261101", "compat"), noon - 43_200n);
  for (const text of [
    "",
    "soon",
    "2026-13-01",
    "2026-02-30",
    "2026-11-01 24:00",
    "2026-11-01T12:60",
    "0000-01-01",
    "1".repeat(100),
  ]) {
    for (const mode of ["compat", "strict"] as const) assert.equal(seconds(text, mode), null, `${text} in ${mode}`);
  }
});

test("any pattern and any moment end in a text or a RowError", () => {
  const piece = fc.constantFrom(
    ..."yMdDEHhmsSaGzZXxVLQYT'\\- .:[2006",
    "yyyy",
    "MM",
    "SSS",
    "''",
    "Jan",
    "Mon",
    "MST",
    "-07",
    "Z07:00",
    "_2",
    "002",
    "PM",
  );
  const patterns = fc.array(piece, { maxLength: 12 }).map((all) => all.join(""));
  fc.assert(
    fc.property(patterns, moments, fc.constantFrom("compat" as const, "strict" as const), (pattern, moment, mode) => {
      try {
        assert.equal(
          typeof call("format_time", [BigInt(moment), pattern], { mode, timeZone: "America/St_Johns" }),
          "string",
        );
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
      }
    }),
    { numRuns: 600 },
  );
});
