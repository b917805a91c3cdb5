import assert from "node:assert/strict";
import { test } from "node:test";
import { type AlarmTransition, AppError, limits, type RuleUid } from "@penstock/model";
import { type Journal, metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import type { AlarmEntry, AlarmsOnDisk } from "./alarm-journal.ts";
import { AlarmWriter } from "./alarm-writer.ts";

const transition = (number: number): AlarmTransition => ({
  ...{ number, occurrence: number, kind: "raised", time: 1 as AlarmTransition["time"], rule: "r" as RuleUid },
  ...{ ruleName: "watch", alarm: "hot", key: "", device: null, severity: "major", message: "m" },
  ...{ state: "unacknowledged", count: 1, shelving: null, who: null, comment: null, escalated: 0 },
});

function disk() {
  const entries: AlarmEntry[] = [];
  const place = { isFull: false };
  const state: AlarmsOnDisk = { epoch: "e", last: 4, records: new Map(), transitions: [], outcomes: new Map() };
  const journal: Journal<AlarmsOnDisk, AlarmEntry> = {
    state,
    async append(entry) {
      if (place.isFull) throw new AppError("data/disk-full", "Cannot write");
      entries.push(entry);
    },
    async close() {},
  };
  const clock = new SimClock();
  const metrics = metricsRegistry();
  return { entries, place, clock, metrics, writer: new AlarmWriter({ journal, clock, log: silentLog, metrics }) };
}
const numbers = (entries: readonly AlarmEntry[]) =>
  entries.map(({ transitions = [] }) => transitions.map(({ number }) => number));

test("what a full disk does not take waits in its order, and nobody is told before it is written", async () => {
  const { entries, place, clock, writer } = disk();
  let told = 0;
  writer.onWritten(() => told++);
  place.isFull = true;
  assert.equal(writer.next, 5);
  writer.tell(transition(5));
  const written = writer.written();
  await clock.advanceAsync(500);
  writer.tell(transition(6));
  await clock.advanceAsync(2000);
  assert.deepEqual([entries, told], [[], 0]);
  place.isFull = false;
  await clock.advanceAsync(1000);
  await written;
  assert.deepEqual([numbers(entries), told], [[[5, 6]], 1]);
  await writer.close();
});

test("a disk that stays full costs the oldest, which are counted; a gateway that stops does not wait for it", async () => {
  const { place, clock, metrics, writer } = disk();
  place.isFull = true;
  for (let number = 5; number < limits.alarmTransitionsPerNode + 15; number++) writer.tell(transition(number));
  assert.equal(metrics.totals().penstock_rules_alarm_transitions_dropped_total, 10);
  void writer.written();
  await clock.advanceAsync(1500);
  await writer.close();
});

test("what comes while a write is under way goes together into the next", async () => {
  const { entries, writer } = disk();
  writer.tell(transition(5));
  const first = writer.written();
  writer.tell(transition(6));
  writer.tell(transition(7));
  await Promise.all([first, writer.written()]);
  assert.deepEqual(numbers(entries), [[5], [6, 7]]);
});
