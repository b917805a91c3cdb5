import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fact, factValue, type Place, type RunFacts } from "./facts.ts";
import { judge, type Verdict } from "./verdict.ts";

const epoch = "e".repeat(32);
const samples = "d1/samples";

/** Two series, ten cycles: all is well. */
function wellRun(): { -readonly [K in keyof RunFacts]: RunFacts[K] } {
  const accepted: Fact[] = [];
  for (let cycle = 0; cycle < 10; cycle++) {
    const time = 1_000_000 + cycle * 1000;
    accepted.push({ epoch, seq: cycle * 2 + 1, series: samples, time, value: factValue(String(cycle + 1), "good") });
    accepted.push({ epoch, seq: cycle * 2 + 2, series: "d1/f0", time, value: factValue(cycle / 2, "good") });
  }
  return {
    accepted,
    stored: accepted.toReversed(),
    readBack: new Map([samples, "d1/f0"].map((series) => [series, placesOf(accepted, series)])),
    last: new Map([samples, "d1/f0"].map((series) => [series, placesOf(accepted, series).at(-1)!])),
    desired: [{ property: "sp0", version: 7, value: 7, state: { version: 7, state: "confirmed" }, atDevice: 7 }],
    outcomes: [],
    answered: new Map([[samples, 10]]),
    dropped: 0,
    unreadAllowed: 0,
  };
}
function placesOf(facts: readonly Fact[], series: string): Place[] {
  return facts.filter((fact) => fact.series === series).map(({ time, value }) => ({ time, value }));
}
function counts({ findings: _, ...rest }: Verdict): Omit<Verdict, "findings"> {
  return rest;
}
const none = { lost: 0, duplicated: 0, outOfOrder: 0, stale: 0, dropped: 0, unread: 0 };

test("judge() finds nothing in a run in which all is well", () => {
  const verdict = judge(wellRun());
  assert.deepEqual(verdict, { accepted: 20, stored: 20, ...none, findings: [] });
});

test("judge() finds an accepted reading that is not stored", () => {
  const run = wellRun();
  run.stored = run.stored.filter(({ seq }) => seq !== 5);
  run.readBack = new Map([...run.readBack, [samples, run.readBack.get(samples)!.filter((_, i) => i !== 2)]]);
  const verdict = judge(run);
  assert.deepEqual(counts(verdict), { accepted: 20, stored: 19, ...none, lost: 1 });
  assert.match(verdict.findings[0]!, /^lost: eeeeeeee\/5 d1\/samples/);
});

test("judge() takes a reading that is stored with another value or time for lost", () => {
  for (const change of [{ value: factValue(99, "good") }, { time: 5 }, { series: "d1/other" }]) {
    const run = wellRun();
    run.stored = run.stored.map((fact) => (fact.seq === 6 ? { ...fact, ...change } : fact));
    assert.equal(judge(run).lost, 1, JSON.stringify(change));
  }
});

test("judge() does not call lost what the agent counted as dropped, and finds a counter that says more", () => {
  const run = wellRun();
  run.stored = run.stored.filter(({ seq }) => seq > 4);
  run.readBack = new Map([...run.readBack].map(([series, places]) => [series, places.slice(2)]));
  run.dropped = 4;
  assert.deepEqual(judge(run).findings, []);
  assert.equal(judge(run).dropped, 4);
  run.dropped = 5;
  assert.match(judge(run).findings[0]!, /^dropped: the agent counted 5/);
  run.dropped = 3;
  assert.equal(judge(run).lost, 1);
});

test("judge() finds a seq that was given to two readings: only one of them can be stored", () => {
  const run = wellRun();
  run.accepted = [...run.accepted, { epoch, seq: 20, series: "d1/f0", time: 9_000_000, value: factValue(4, "good") }];
  assert.equal(judge(run).lost, 1);
});

test("judge() finds a reading that is stored twice, under one epoch or two", () => {
  for (const other of [epoch, "f".repeat(32)]) {
    const run = wellRun();
    const twice = run.stored.find(({ seq }) => seq === 3)!;
    run.stored = [...run.stored, { ...twice, epoch: other }];
    const places = [...run.readBack.get(samples)!];
    places.splice(2, 0, places[1]!);
    run.readBack = new Map([...run.readBack, [samples, places]]);
    assert.deepEqual(counts(judge(run)), { accepted: 20, stored: 21, ...none, duplicated: 1 });
  }
});

test("judge() finds nothing in what was delivered under a new epoch", () => {
  const run = wellRun();
  run.stored = run.stored.map((fact) => ({ ...fact, epoch: "f".repeat(32) }));
  assert.deepEqual(judge(run).findings, []);
});

test("judge() finds nothing in a stored reading whose append did not live to be witnessed", () => {
  const run = wellRun();
  run.accepted = run.accepted.filter(({ seq }) => seq < 19);
  run.answered = new Map([[samples, 9]]);
  assert.deepEqual(judge(run).findings, []);
});

test("judge() finds one answer of the device that was accepted twice", () => {
  const run = wellRun();
  const again = { ...run.accepted[0]!, seq: 21, time: 2_000_000 };
  run.accepted = [...run.accepted, again];
  run.stored = [...run.stored, again];
  run.readBack = new Map([...run.readBack, [samples, placesOf(run.accepted, samples)]]);
  run.last = new Map([...run.last, [samples, again]]);
  assert.deepEqual(counts(judge(run)), { accepted: 21, stored: 21, ...none, duplicated: 1 });
});

test("judge() finds readings that come back in another order, or not at all", () => {
  const run = wellRun();
  const places = [...run.readBack.get("d1/f0")!];
  [places[3], places[4]] = [places[4]!, places[3]!];
  run.readBack = new Map([...run.readBack, ["d1/f0", places]]);
  assert.deepEqual(counts(judge(run)), { accepted: 20, stored: 20, ...none, outOfOrder: 2 });
  run.readBack = new Map([...run.readBack, ["d1/f0", places.slice(0, 3)]]);
  assert.equal(judge(run).outOfOrder, 7);
});

test("judge() puts readings of one time in the order of their seqs", () => {
  const run = wellRun();
  const later = { ...run.accepted[1]!, seq: 21, value: factValue(7, "good") };
  run.accepted = [...run.accepted, later];
  run.stored = [later, ...run.stored];
  const places = [...run.readBack.get("d1/f0")!];
  places.splice(1, 0, later);
  run.readBack = new Map([...run.readBack, ["d1/f0", places]]);
  assert.deepEqual(judge(run).findings, []);
  [places[0], places[1]] = [places[1]!, places[0]!];
  assert.equal(judge(run).outOfOrder, 2);
});

test("judge() finds a last value that is older than the newest stored, or missing", () => {
  const run = wellRun();
  const places = run.readBack.get("d1/f0")!;
  for (const last of [places.at(-2)!, null]) {
    run.last = new Map([...run.last, ["d1/f0", last]]);
    assert.deepEqual(counts(judge(run)), { accepted: 20, stored: 20, ...none, stale: 1 });
  }
});

test("judge() finds a desired value that ended too low, at the device or in its state, or has not ended", () => {
  const good = wellRun().desired[0]!;
  for (const bad of [
    { ...good, atDevice: 6 },
    { ...good, state: { version: 6, state: "confirmed" } },
    { ...good, state: { version: 7, state: "sent" } },
    { ...good, state: { version: 7, state: "failed" } },
  ]) {
    const verdict = judge({ ...wellRun(), desired: [bad] });
    assert.equal(verdict.stale, 1, JSON.stringify(bad));
    assert.match(verdict.findings[0]!, /^stale: desired "sp0"/);
  }
});

test("judge() finds answered reads that were never accepted, beyond what may be", () => {
  const run = wellRun();
  run.answered = new Map([[samples, 12]]);
  run.unreadAllowed = 2;
  assert.deepEqual(judge(run).findings, []);
  assert.equal(judge(run).unread, 2);
  run.unreadAllowed = 1;
  assert.deepEqual(judge(run).findings, [
    "unread: 2 answered reads were never accepted, 1 may be",
    "unread of d1/samples: answers 11, 12",
  ]);
});

test("judge() does not take a bad reading for an answered one", () => {
  const run = wellRun();
  const bad = (fact: Fact) => (fact.seq === 19 ? { ...fact, value: factValue(null, "bad") } : fact);
  run.accepted = run.accepted.map(bad);
  run.stored = run.stored.map(bad);
  run.readBack = new Map([...run.readBack, [samples, placesOf(run.accepted, samples)]]);
  run.last = new Map([...run.last, [samples, placesOf(run.accepted, samples).at(-1)!]]);
  assert.equal(judge(run).unread, 1);
});
