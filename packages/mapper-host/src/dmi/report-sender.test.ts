import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@penstock/testkit";
import type { DmiTwin } from "@penstock/wire";
import { ReportSender } from "./report-sender.ts";

const twin = (propertyName: string, value: string): DmiTwin => ({
  ...{ propertyName, observedDesired: null, reported: { value, metadata: new Map() } },
});

function stage(options: { readonly perSecond: number; readonly burst: number }) {
  const clock = new SimClock();
  const calls: string[] = [];
  const counts = { replaced: 0, failed: 0, sent: 0 };
  let fails = 0;
  const call = async (text: string) => {
    if (fails > 0) {
      fails--;
      throw new Error("too many requests");
    }
    calls.push(text);
  };
  const sender = new ReportSender({
    ...{ clock, ...options },
    status: (key, twins) =>
      call(`${key} ${twins.map((one) => `${one.propertyName}=${one.reported?.value}`).join(",")}`),
    state: (key, state) => call(`${key} is ${state}`),
    count: (what, amount) => {
      counts[what] += amount;
    },
  });
  const fail = (times: number) => {
    fails = times;
  };
  return { clock, calls, counts, sender, fail };
}

test("a manager that takes one call a second gets the newest of each device in turn, and what was replaced is counted", async () => {
  const { clock, calls, counts, sender } = stage({ perSecond: 1, burst: 2 });
  for (let i = 0; i < 100; i++) {
    for (const key of ["p/a", "p/b", "p/c"]) sender.add({ key, twins: [twin("t", String(i))], state: null });
    await clock.advanceAsync(100);
  }
  // Two at once, and one in each of ten seconds.
  assert.ok(calls.length >= 11 && calls.length <= 13, `${calls.length} calls`);
  const of = (key: string) => calls.filter((one) => one.startsWith(key)).length;
  assert.ok(Math.max(of("p/a"), of("p/b"), of("p/c")) - Math.min(of("p/a"), of("p/b"), of("p/c")) <= 1);
  await clock.advanceAsync(4000);
  assert.deepEqual(calls.slice(-3).sort(), ["p/a t=99", "p/b t=99", "p/c t=99"]);
  assert.equal(counts.replaced + counts.sent, 300);
});

test("a call that failed is made again with what is newest then, after a pause that grows", async () => {
  const { clock, calls, counts, sender, fail } = stage({ perSecond: 100, burst: 10 });
  fail(3);
  sender.add({ key: "p/a", twins: [twin("t", "1"), twin("u", "1")], state: null });
  await clock.advanceAsync(10);
  sender.add({ key: "p/a", twins: [twin("t", "2")], state: "online" });
  await clock.advanceAsync(6000);
  assert.deepEqual(calls, []);
  await clock.advanceAsync(2000);
  assert.deepEqual([...calls].sort(), ["p/a is online", "p/a t=2,u=1"]);
  assert.deepEqual(counts, { replaced: 1, failed: 3, sent: 2 });
});
