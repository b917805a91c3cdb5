import assert from "node:assert/strict";
import { test } from "node:test";
import type { DesiredState } from "@penstock/model";
import fc from "fast-check";
import { type StepTimes, timesAfter } from "./desired-times.ts";

const setAt = 1_000_000;
const none: StepTimes = { taken_at: null, written_at: null, ended_at: null };

test("timesAfter() keeps the gateway's times where they are in order", () => {
  const written = timesAfter(
    { requested_at: setAt, ...none, taken_at: setAt + 10 },
    { state: "written", time: setAt + 20, now: setAt + 40 },
  );
  assert.deepEqual(written, { taken_at: setAt + 10, written_at: setAt + 20, ended_at: null });
  const confirmed = timesAfter(
    { requested_at: setAt, ...written },
    { state: "confirmed", time: setAt + 30, now: setAt + 40 },
  );
  assert.deepEqual(confirmed, { taken_at: setAt + 10, written_at: setAt + 20, ended_at: setAt + 30 });
});

test("timesAfter() gives steps that are all there and in order, whatever the gateway's clock says and is heard of", () => {
  const micros = fc.integer({ min: 0, max: 10_000_000 });
  const isHeard = fc.record({ taken: fc.boolean(), written: fc.boolean() });
  const end = fc.constantFrom<DesiredState>("confirmed", "failed", "expired");
  fc.assert(
    fc.property(micros, micros, micros, isHeard, end, (writtenAt, endedAt, later, heard, state) => {
      let times: StepTimes = { ...none, taken_at: heard.taken ? setAt + later : null };
      let now = setAt + later;
      if (heard.written)
        times = timesAfter({ requested_at: setAt, ...times }, { state: "written", time: writtenAt, now });
      now += 5;
      const { taken_at, written_at, ended_at } = timesAfter(
        { requested_at: setAt, ...times },
        { state, time: endedAt, now },
      );
      const isWritten = heard.written || state === "confirmed";
      assert.equal(written_at !== null, isWritten);
      const steps = [setAt, taken_at!, ...(isWritten ? [written_at!] : []), ended_at!, now];
      assert.deepEqual(
        steps,
        steps.toSorted((a, b) => a - b),
      );
    }),
  );
});
