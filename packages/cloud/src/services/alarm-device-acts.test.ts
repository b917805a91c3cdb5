import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AlarmTransition, NodeIdentity, RuleUid } from "@penstock/model";
import type { AlarmTransitionView } from "./alarm-history.ts";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const epoch = "e".repeat(32);
const rule = "b".repeat(32) as RuleUid;
let number = 0;

async function hot(suffix: string) {
  const { identity, uid, device } = await plant(bench, suffix);
  let occurrence = 0;
  const tell = async (kind: AlarmTransition["kind"], state: AlarmTransition["state"], who: string | null = null) => {
    bench.clock.move(1000);
    number += 1;
    if (occurrence === 0) occurrence = number;
    const transition: AlarmTransition = {
      ...{ number, occurrence, kind, time: bench.clock.now(), rule, ruleName: "watch", alarm: "hot", key: device },
      ...{ device: uid, severity: "major", message: "hot", state, count: 1, shelving: null, who, comment: null },
      escalated: 0,
    };
    await bench.services.control.ruleAlarms!.takeTransitions(identity as NodeIdentity, epoch, [transition]);
  };
  const set = async (value: number) => {
    bench.clock.move(1000);
    await bench.services.desired.set(system, { tenant, device, property: "speed" }, { value });
  };
  const stop = async () => {
    const methods = { stop: { sets: { speed: 0 } } };
    const ref = { tenant, name: device };
    await bench.services.devices.update(system, ref, { patch: { spec: { methods } }, ifMatch: "*" });
    await bench.services.calls.call(system, { tenant, device, method: "stop" }, {});
  };
  const alarm = async () => (await bench.services.alarms.list(system, tenant, { device })).items[0]!;
  const history = async (query = {}) =>
    bench.services.alarms.history(system, { tenant, id: (await alarm()).id }, query);
  return { tell, set, stop, alarm, history, device };
}
const lines = (items: readonly AlarmTransitionView[]) =>
  items.map(({ kind, state, who, message }) => `${kind} ${state} ${who ?? "-"} ${message}`);

// Who looks at an alarm afterwards wants to know what was done, not only that it went away.
test("the history of an alarm has what was set at its device, from its raise until it was normal", async () => {
  const { tell, set, history } = await hot("acts");
  const other = await hot("other");
  await set(1);
  await tell("raised", "unacknowledged");
  await other.tell("raised", "unacknowledged");
  await other.set(77);
  await other.stop();
  await set(2);
  await tell("cleared", "returned");
  await set(3);
  await tell("acknowledged", "normal", "ada");
  await set(4);
  const all = [
    "raised unacknowledged - hot",
    "set unacknowledged system speed = 2",
    "cleared returned - hot",
    "set returned system speed = 3",
    "acknowledged normal ada hot",
  ];
  const { items, cursor } = await history();
  assert.deepEqual(lines(items), all);
  assert.equal(cursor, null);
  const paged: AlarmTransitionView[] = [];
  for (let at: string | null | undefined; at !== null; ) {
    const page = await history({ limit: 1, ...(at !== undefined && { cursor: at }) });
    paged.push(...page.items);
    at = page.cursor;
  }
  assert.deepEqual(lines(paged), all, "the same in pages");
  assert.deepEqual(lines((await other.history()).items), [
    "raised unacknowledged - hot",
    "set unacknowledged system speed = 77 (pending)",
    "called unacknowledged system stop() (pending)",
  ]);
  await assert.rejects(history({ cursor: "1" }), refuses("input/invalid"));
});
