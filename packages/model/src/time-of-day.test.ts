import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DaySlots } from "./day-slots.ts";
import type { Micros } from "./ids.ts";
import { DayTimes, firstMomentOf, zoneOffset } from "./time-of-day.ts";

const at = (text: string) => (Date.parse(text) * 1000) as Micros;
const secondsOf = (...times: string[]) =>
  times.map((time) => Number(time.slice(0, 2)) * 3600 + Number(time.slice(3, 5)) * 60);
const hour = 3_600_000_000;

/** Looks at the clock every `stepUs` from one moment to another; the moments at which a slot came. */
function walk(slots: DaySlots, from: Micros, to: Micros, stepUs = 60_000_000): string[] {
  const came: string[] = [];
  for (let wall = from; wall <= to; wall = (wall + stepUs) as Micros) {
    if (slots.look(wall)) came.push(new Date(wall / 1000).toISOString().slice(0, 16));
  }
  return came;
}

test("a time that does not exist on its day comes at the next moment there is, one that exists twice comes once", () => {
  const zone = { timeZone: "Europe/Berlin" };
  // 2027-03-28: 02:00 CET is 03:00 CEST. 2027-10-31: 03:00 CEST is 02:00 CET.
  const spring = new DaySlots({ ...zone, atSeconds: secondsOf("02:30", "04:00") });
  assert.deepEqual(walk(spring, at("2027-03-27T00:00:00Z"), at("2027-03-29T12:00:00Z")), [
    "2027-03-27T01:30",
    "2027-03-27T03:00",
    "2027-03-28T01:00",
    "2027-03-28T02:00",
    "2027-03-29T00:30",
    "2027-03-29T02:00",
  ]);
  const autumn = new DaySlots({ ...zone, atSeconds: secondsOf("02:30", "06:00") });
  assert.deepEqual(walk(autumn, at("2027-10-30T12:00:00Z"), at("2027-11-01T12:00:00Z")), [
    "2027-10-31T00:30",
    "2027-10-31T05:00",
    "2027-11-01T01:30",
    "2027-11-01T05:00",
  ]);
});

test("a day that a zone has skipped gives its times at the first moment after it", () => {
  // Samoa had no 30 December 2011: after the 29th, UTC-10, came the 31st, UTC+14.
  const noon = Date.UTC(2011, 11, 30, 12);
  assert.equal(firstMomentOf(noon, zoneOffset("Pacific/Apia")), Date.parse("2011-12-30T10:00:00Z"));
});

const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"];
const zone = fc.constantFrom(...zones);
const seconds = fc
  .uniqueArray(fc.integer({ min: 0, max: 86_399 }), { minLength: 1, maxLength: 5 })
  .map((list) => list.sort((a, b) => a - b));
const start = at("2026-01-01T00:00:00Z");
const moment = fc
  .integer({ min: 0, max: 2 * 365 * 24 * 60 })
  .map((minutes) => (start + minutes * 60_000_000) as Micros);

test("firstMomentOf() is the first moment whose local time is not before the one asked for", () => {
  fc.assert(
    fc.property(zone, moment, (timeZone, wall) => {
      const offsetAt = zoneOffset(timeZone);
      const local = wall / 1000;
      const found = firstMomentOf(local, offsetAt);
      assert.ok(found + offsetAt(found) >= local);
      for (let ms = 1000; ms < 3 * 3_600_000; ms += 900_000) {
        assert.ok(found - ms + offsetAt(found - ms) < local, `${ms} ms earlier is there as well`);
      }
    }),
    { numRuns: 300 },
  );
});

test("DayTimes: slots never go back, and slotAt() gives the last one that has come", () => {
  fc.assert(
    fc.property(zone, seconds, moment, (timeZone, atSeconds, wall) => {
      const times = new DayTimes({ atSeconds, timeZone });
      const slot = times.slotAt(wall);
      assert.ok(times.momentOf(slot) <= wall && wall < times.momentOf(slot + 1));
    }),
    { numRuns: 200 },
  );
});

test("DaySlots: whatever is done to the clock no slot comes twice, and while it runs on none is left out", () => {
  const jump = fc.record({
    byHours: fc.integer({ min: -400 * 24, max: 400 * 24 }),
    forHours: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(zone, seconds, moment, fc.array(jump, { maxLength: 24 }), (timeZone, atSeconds, from, jumps) => {
      const slots = new DaySlots({ atSeconds, timeZone });
      const times = new DayTimes({ atSeconds, timeZone });
      const came = new Set<number>();
      let wall: number = from;
      let before: number | null = null;
      let isUnknown = false;
      const look = () => {
        const slot = times.slotAt(wall as Micros);
        const isDue = slots.look(wall as Micros);
        if (isDue) {
          assert.ok(!came.has(slot), "came twice");
          came.add(slot);
        } else if (before !== null && slot > before && !came.has(slot)) {
          // Runs of slots grow together beyond sixteen, and only then may one be left out.
          isUnknown ||= came.size > 16;
          assert.ok(isUnknown, "left out");
        }
        before = slot;
        assert.ok(slots.nextAt > wall);
      };
      look();
      for (const { byHours, forHours } of [{ byHours: 0, forHours: 30 }, ...jumps]) {
        wall += byHours * hour;
        for (let i = 0; i < forHours; i += 5) {
          wall += 5 * hour;
          look();
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("DaySlots: a clock set over a slot gives it late, once, and set back it does not give it again", () => {
  const slots = new DaySlots({ atSeconds: secondsOf("06:00", "07:00"), timeZone: "UTC" });
  assert.equal(slots.look(at("2027-05-01T06:30:00Z")), false, "what was before the first look is over");
  assert.equal(slots.look(at("2027-05-02T09:00:00Z")), true);
  assert.equal(slots.look(at("2027-05-02T09:00:01Z")), false);
  assert.equal(slots.look(at("2027-05-02T05:00:00Z")), false);
  assert.equal(slots.nextAt, at("2027-05-02T06:00:00Z"));
  assert.equal(slots.look(at("2027-05-02T06:00:00Z")), true, "it was passed over, so it has not come yet");
  assert.equal(slots.nextAt, at("2027-05-03T06:00:00Z"));
  assert.equal(slots.look(at("2027-05-02T07:10:00Z")), false);
});
