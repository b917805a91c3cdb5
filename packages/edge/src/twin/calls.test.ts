import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type CallArgument, type EffectiveMethod, type MethodCall } from "@penstock/model";
import { SimRandom, simDisk } from "@penstock/testkit";
import { machine, openSite, uid } from "./test-plant.ts";

const add: EffectiveMethod = {
  name: "add",
  arguments: [
    { name: "count", type: "int32", minimum: "1", maximum: "10", isOptional: false },
    { name: "note", type: "string", minimum: null, maximum: null, isOptional: true },
  ],
  ...{ result: "int32", timeoutMs: 1000, visitor: { code: 7 }, sets: [] },
};
const start: EffectiveMethod = {
  ...{ name: "start", result: null, timeoutMs: 1000, visitor: null },
  arguments: [{ name: "at", type: "float64", minimum: null, maximum: null, isOptional: true }],
  sets: [
    { property: "limit", value: 90 },
    { property: "speed", argument: "at" },
    { property: "mode", value: 1 },
  ],
};
const device = machine({ properties: ["limit", "speed", "mode"], localWrites: "hold", methods: [add, start] });
const disk = () => simDisk({ random: new SimRandom(1) });
const open = (files = disk().files) => openSite(files, { find: () => device });
const count = (value: number): CallArgument => ({ name: "count", type: "int32", value });
const call = (method: string, given: readonly CallArgument[], more: Partial<MethodCall> = {}): MethodCall => ({
  ...{ id: "1".repeat(32), device: uid, method, arguments: given, ttlMs: 5000 },
  ...more,
});

test("takeCalls() carries a call out once and tells its result, however often it is sent", async () => {
  const s = await open();
  s.plant.answer = 42;
  let told = 0;
  s.twin.onCallReport(() => told++);
  const one = call("add", [count(3)]);
  await Promise.all([s.twin.takeCalls([one]), s.twin.takeCalls([one])]);
  await s.turns();
  await s.twin.takeCalls([one]);
  assert.deepEqual(s.plant.calls, ["add(count=3)"]);
  const [report] = s.twin.pendingCallReports();
  assert.deepEqual([report?.state, report?.type, report?.value], ["done", "int32", 42]);
  await s.twin.callReportsTaken([one.id]);
  assert.deepEqual(s.twin.pendingCallReports(), []);
  await s.twin.takeCalls([one]);
  assert.equal(s.twin.pendingCallReports()[0]?.state, "done", "the cloud asks: it is told again, not done again");
  assert.deepEqual([s.plant.calls.length, told], [1, 2]);
  await s.close();
});

test("a call ends unknown when its answer does not come, and expired when it never went out", async () => {
  const s = await open();
  s.plant.trouble = new AppError("mapper/timeout", "no answer");
  await s.twin.takeCalls([call("add", [count(3)])]);
  await s.turns();
  s.plant.isLineFree = false;
  await s.twin.takeCalls([call("add", [count(3)], { id: "2".repeat(32), ttlMs: 500 })]);
  await s.twin.takeCalls([call("add", [count(3)], { id: "3".repeat(32), ttlMs: 0 })]);
  await s.turns(1000);
  const ends = s.twin.pendingCallReports().map(({ state, reason }) => `${state} ${reason}`);
  assert.deepEqual(ends, ["unknown twin/outcome-unknown", "expired twin/expired", "expired twin/expired"]);
  assert.equal(s.plant.calls.length, 1);
  await s.close();
});

test("a call ends failed when the device refuses it", async () => {
  const s = await open();
  s.plant.trouble = new AppError("mapper/value-refused", "not now");
  await s.twin.takeCalls([call("add", [count(3)])]);
  await s.turns();
  assert.deepEqual(s.twin.pendingCallReports()[0]?.reason, "mapper/value-refused");
  await s.close();
});

test("a call that was under way at a power cut ends unknown and is not begun again", async () => {
  const power = disk();
  const before = await open(power.files);
  before.plant.roundTripMs = 60_000;
  await before.twin.takeCalls([call("add", [count(3)])]);
  await before.turns(20);
  assert.equal(before.plant.calls.length, 1);
  power.crash();
  const s = await open(power.files);
  await s.turns();
  await s.twin.takeCalls([call("add", [count(3)])]);
  await s.turns();
  assert.deepEqual(s.plant.calls, []);
  assert.deepEqual(
    s.twin.pendingCallReports().map(({ state, reason }) => [state, reason]),
    [["unknown", "twin/outcome-unknown"]],
  );
  await s.close();
});

test("a call survives a power cut before any step of the disk: the device acts at most once and its end is told", async () => {
  let struck = true;
  for (let stop = 1; struck; stop++) {
    struck = false;
    let left = stop;
    const power = simDisk({
      random: new SimRandom(stop),
      step: async () => {
        if (--left !== 0) return;
        struck = true;
        power.crash();
      },
    });
    const one = call("add", [count(3)]);
    const acts: string[] = [];
    const first = open(power.files).then(async (s) => {
      s.plant.calls.push = (text) => acts.push(text);
      s.plant.answer = 1;
      void s.twin.takeCalls([one]).catch(() => {});
      await s.turns();
    });
    await Promise.race([first, new Promise((done) => setTimeout(done, 50))]);
    left = Number.POSITIVE_INFINITY;
    if (!struck) power.crash();
    const s = await open(power.files);
    s.plant.calls.push = (text) => acts.push(text);
    s.plant.answer = 1;
    await s.turns();
    await s.twin.takeCalls([one]);
    await s.turns();
    assert.ok(acts.length <= 1, `cut ${stop}: the device acted ${acts.length} times`);
    const [report] = s.twin.pendingCallReports();
    assert.ok(report !== undefined, `cut ${stop}: nothing is told`);
    if (report.state === "done") assert.equal(acts.length, 1, `cut ${stop}: done, and nothing was done`);
    await s.close();
  }
});

test("arguments that the method does not take never reach the device, and each says which rule it breaks", async () => {
  const s = await open();
  const wrong: [CallArgument[], RegExp][] = [
    [[], /arguments\.count: \(missing\): is required/],
    [[count(11)], /arguments\.count: .*at most 10/],
    [[{ name: "count", type: "string", value: "3" }], /arguments\.count: .*must be int32/],
    [[count(1), { name: "speed", type: "int32", value: 1 }], /arguments\.speed: .*no such argument/],
  ];
  for (const [given, words] of wrong) {
    const { state, reason, message } = await s.twin.callHere(call("add", given));
    assert.deepEqual([state, reason], ["failed", "input/invalid"]);
    assert.match(message ?? "", words);
  }
  assert.equal((await s.twin.callHere(call("stop", []))).reason, "twin/unknown-method");
  assert.deepEqual(s.plant.calls, []);
  await s.close();
});

test("a method that sets properties writes them in its order and says of each what became of it", async () => {
  const s = await open();
  const run = async (given: readonly CallArgument[]) => {
    const calling = s.twin.callHere(call("start", given));
    await s.turns();
    const { state, reason, steps } = await calling;
    return [state, reason, steps.map((step) => `${step.property} ${step.state}`)];
  };
  const at = (value: number): CallArgument => ({ name: "at", type: "float64", value });
  const all = ["limit written", "speed written", "mode written"];
  assert.deepEqual(await run([at(30)]), ["done", null, all]);
  assert.deepEqual(s.plant.writes, ["limit=90", "speed=30", "mode=1"]);
  assert.deepEqual(await run([]), ["done", null, ["limit written", "mode written"]]);
  s.plant.trouble = new AppError("mapper/device-failure", "jammed");
  const stopped = ["limit failed", "speed not tried", "mode not tried"];
  assert.deepEqual(await run([at(30)]), ["failed", "mapper/device-failure", stopped]);
  s.plant.trouble = null;
  await s.twin.setLocally({
    ...{ device: uid, property: "mode", type: "float64", value: 0, ttlMs: 1000, holder: "panel", holdMs: null },
  });
  await s.turns();
  const writes = s.plant.writes.length;
  assert.deepEqual(await run([at(30)]), ["failed", "twin/held", []]);
  assert.equal(s.plant.writes.length, writes, "what cannot be done whole is not begun");
  await s.close();
});
