import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type CallReport,
  type CallState,
  callStates,
  isCallEnd,
  type Micros,
  type NodeIdentity,
} from "@penstock/model";
import fc from "fast-check";
import { isCallNews } from "./call-news.ts";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const start = {
  arguments: { at: { type: "int64", minimum: 0, maximum: 10 }, slow: { type: "bool", optional: true } },
  sets: { speed: "$" + "{at}" },
  timeout: "20s",
};
async function site(suffix: string) {
  const made = await plant(bench, suffix);
  const change = { patch: { spec: { methods: { start } } }, ifMatch: "*" };
  await bench.services.devices.update(system, ref(made.device), change);
  const method = { tenant, device: made.device, method: "start" };
  const call = (request: Parameters<typeof bench.services.calls.call>[2]) =>
    bench.services.calls.call(system, method, request);
  const get = (id: string) => bench.services.calls.get(system, { ...method, id });
  return { ...made, method, call, get };
}
type Made = Awaited<ReturnType<typeof site>>;

function report({ uid }: Made, id: string, more: Partial<CallReport> = {}): CallReport {
  return {
    ...{ id, device: uid, state: "done", reason: null, message: null, type: null, value: null },
    ...{ steps: [], time: (bench.clock.now() + 5) as Micros, ...more },
  };
}
async function untilPending(identity: NodeIdentity) {
  for (;;) {
    const pending = await bench.services.control.pendingCalls(identity);
    if (pending.length > 0) return pending;
  }
}

test("calls.call() names each argument that breaks its rule, and calls nothing", async () => {
  const s = await site("c1");
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{}, /Invalid arguments\.at: \(missing\): is required/],
    [{ at: 11 }, /arguments\.at.*at most 10/],
    [{ at: true }, /arguments\.at/],
    [{ at: 1, fast: 1 }, /arguments\.fast.*no such argument: it takes at, slow/],
    [{ slow: 1 }, /arguments\.at.*arguments\.slow/],
  ];
  for (const [given, about] of wrong)
    await assert.rejects(s.call({ arguments: given }), refuses("input/invalid", about));
  await assert.rejects(s.call({ arguments: { at: 1 }, timeout: "11m" }), refuses("input/invalid", /timeout/));
  const other = { ...s.method, method: "stop" };
  await assert.rejects(bench.services.calls.call(system, other, {}), refuses("twin/unknown-method", /it has start/));
  assert.deepEqual(await bench.services.control.pendingCalls(s.identity), []);
});

test("calls.call() waits for the end that the gateway tells, with the time of each step", async () => {
  const s = await site("c2");
  const waiting = s.call({ arguments: { at: "7" }, wait: "10s" });
  const [sent] = await untilPending(s.identity);
  assert.deepEqual([sent?.method, sent?.ttlMs], ["start", 20_000]);
  assert.deepEqual(sent?.arguments, [{ name: "at", type: "int64", value: 7n }]);
  await bench.services.control.callsTaken(s.identity, [sent!.id]);
  assert.deepEqual(await bench.services.control.pendingCalls(s.identity), []);
  const steps = [{ property: "speed", state: "written" as const, reason: null, message: null }];
  await bench.services.control.takeCallReports(s.identity, [report(s, sent!.id, { steps })]);
  const { view, isSettled } = await waiting;
  assert.equal(isSettled, true);
  assert.deepEqual([view.state, view.arguments, view.steps], ["done", { at: "7" }, steps]);
  assert.ok(view.sentAt !== null && view.endedAt !== null && view.sentAt < view.endedAt);
  assert.deepEqual((await bench.services.calls.list(system, s.method, {})).items, [view]);
});

test("calls.call() with the same Idempotency-Key is one call; other arguments under it are refused", async () => {
  const s = await site("c3");
  const request = { arguments: { at: 1 }, idempotencyKey: "k" };
  const first = await s.call(request);
  assert.equal((await s.call(request)).view.id, first.view.id);
  await assert.rejects(s.call({ ...request, arguments: { at: 2 } }), refuses("request/key-reused"));
  assert.equal((await bench.services.control.pendingCalls(s.identity)).length, 1);
});

test("a call ends expired only where nothing went to the gateway; else unknown, until the gateway says what became of it", async () => {
  const s = await site("c4");
  const kept = (await s.call({ arguments: { at: 1 }, timeout: "5s" })).view.id;
  await bench.restart();
  bench.clock.move(5001);
  await until(async () => (await s.get(kept)).state === "expired");
  const offered = (await s.call({ arguments: { at: 2 }, timeout: "5s" })).view.id;
  // The link asked for it: from here on nobody can know that the gateway does not have it.
  assert.equal((await bench.services.control.pendingCalls(s.identity))[0]?.id, offered);
  bench.clock.move(5001);
  await until(async () => (await s.get(kept)).state === "expired");
  assert.equal((await s.get(offered)).state, "pending");
  bench.clock.move(2001);
  await until(async () => (await s.get(offered)).state === "unknown");
  assert.equal((await s.get(offered)).reason, "twin/outcome-unknown");
  await bench.services.control.takeCallReports(s.identity, [report(s, offered)]);
  assert.equal((await s.get(offered)).state, "done");
  await bench.services.control.takeCallReports(s.identity, [report(s, offered, { state: "failed" })]);
  assert.equal((await s.get(offered)).state, "done", "an end stays");
});

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((done) => setImmediate(done));
}

test("a call that ends badly is an error with its reason, and says what became of each property", async () => {
  const s = await site("c5");
  const waiting = s.call({ arguments: { at: 7 }, wait: "10s" });
  const words = /ended failed: jammed \(speed failed, mode not tried\)/;
  const refused = assert.rejects(waiting, refuses("mapper/device-failure", words));
  const [sent] = await untilPending(s.identity);
  const step = { reason: null, message: null };
  const steps = [
    { property: "speed", state: "failed" as const, ...step },
    { property: "mode", state: "not tried" as const, ...step },
  ];
  const end = { state: "failed", reason: "mapper/device-failure", message: "jammed", steps } as const;
  await bench.services.control.takeCallReports(s.identity, [report(s, sent!.id, end)]);
  await refused;
});

test("another node's word on a call changes nothing", async () => {
  const [s, other] = [await site("c6"), await site("c7")];
  const { id } = (await s.call({ arguments: { at: 1 } })).view;
  await bench.services.control.callsTaken(other.identity, [id]);
  await bench.services.control.takeCallReports(other.identity, [report(s, id)]);
  assert.equal((await s.get(id)).state, "pending");
});

test("isCallNews() never lets an end that the gateway told change, in whatever order news come", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...callStates), { maxLength: 12 }), (said) => {
      let known: CallState = "pending";
      for (const state of said) {
        const isNews = isCallNews(known, state);
        if (known === "done" || known === "failed") assert.equal(isNews, false);
        if (isNews && isCallEnd(known)) assert.ok(isCallEnd(state));
        if (isNews) known = state;
      }
    }),
  );
});
