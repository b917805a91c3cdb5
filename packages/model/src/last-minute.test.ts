import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BusyMinute, LastMinute } from "./last-minute.ts";

const second = 1_000_000;

test("LastMinute holds at least the last 60 seconds, at most the last 70, and nothing else", () => {
  const came = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 * second }), fc.integer({ min: 1, max: 100 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(came, fc.integer({ min: 0, max: 100 * second }), (steps, rest) => {
      const minute = new LastMinute();
      let at = 5 * second;
      const all = steps.map(([after, value]) => {
        at += after;
        minute.add(at, value);
        return { at, value };
      });
      at += rest;
      const found = minute.summary(at);
      const within = (seconds: number) => all.filter((one) => at - one.at < seconds * second);
      const sum = (list: typeof all) => list.reduce((total, { value }) => total + value, 0);
      assert.ok((found?.sum ?? 0) >= sum(within(60)) && (found?.sum ?? 0) <= sum(within(70)));
      assert.ok((found?.count ?? 0) >= within(60).length && (found?.count ?? 0) <= within(70).length);
      if (within(60).length > 0) assert.ok(found!.largest >= Math.max(...within(60).map(({ value }) => value)));
    }),
  );
});

test("BusyMinute gives the share of time in which something was going on, however it overlaps", () => {
  const busy = new BusyMinute(0);
  for (let at = 0; at < 200 * second; at += second) {
    // Half of each second, by two that overlap.
    busy.begin(at);
    busy.begin(at + 0.2 * second);
    busy.end(at + 0.3 * second);
    busy.end(at + 0.5 * second);
  }
  const { percent, perSecond } = busy.summary(200 * second);
  assert.ok(Math.abs(percent - 50) < 1, `${percent}`);
  assert.ok(Math.abs(perSecond - 2) < 0.1, `${perSecond}`);
  assert.deepEqual(busy.summary(400 * second), { percent: 0, perSecond: 0 });
  busy.begin(400 * second);
  assert.equal(busy.summary(600 * second).percent, 100, "one that has not ended");
});
