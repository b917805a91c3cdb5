import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AlarmTransition, Micros, NodeIdentity, RuleUid, TenantUid } from "@penstock/model";
import { limits } from "@penstock/model";
import { pruneHistory } from "./alarm-history.ts";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, refuses, tenant } from "./test/test-plant.ts";

let bench: TestBench;
before(async () => {
  bench = await testBench();
});
after(() => bench.close());

const epoch = "e".repeat(32);
const rule = "a".repeat(32) as RuleUid;
let number = 0;
/** the next transition that a gateway tells */
const told = (change: Partial<AlarmTransition> & Pick<AlarmTransition, "kind" | "state">): AlarmTransition => {
  number += 1;
  return {
    ...{ number, occurrence: number, time: (1_000_000 * number) as Micros, rule, ruleName: "watch", alarm: "hot" },
    ...{ key: "", device: null, severity: "major", message: `m ${number}`, count: 1, shelving: null, who: null },
    ...{ comment: null, escalated: 0, ...change },
  };
};
const take = (identity: NodeIdentity, ...transitions: AlarmTransition[]) =>
  bench.services.control.ruleAlarms!.takeTransitions(identity, epoch, transitions);
const one = async (query = {}) => (await bench.services.alarms.list(system, tenant, query)).items[0]!;
const historyOf = async (id: string) =>
  (await bench.services.alarms.history(system, { tenant, id }, {})).items.map(({ kind, who }) => [kind, who]);

test("a transition is stored once however often it is told, and the last number says how the alarm is", async () => {
  const { identity, uid, device } = await plant(bench, "once");
  const raised = told({ kind: "raised", state: "unacknowledged", device: uid });
  const { occurrence } = raised;
  const acknowledged = told({ kind: "acknowledged", state: "acknowledged", occurrence, who: "ada", comment: "seen" });
  const cleared = told({ kind: "cleared", state: "normal", occurrence });
  await take(identity, raised, acknowledged);
  await take(identity, raised, acknowledged, cleared);
  await take(identity, acknowledged);
  const alarm = await one({ device });
  assert.deepEqual(
    [alarm.source, alarm.state, alarm.rule, alarm.alarm, alarm.device, alarm.acknowledgedBy, alarm.comment],
    ["rule", "normal", "watch", "hot", device, "ada", "seen"],
  );
  assert.ok(alarm.clearedAt !== null && alarm.acknowledgedAt !== null);
  assert.deepEqual(await historyOf(alarm.id), [
    ["raised", null],
    ["acknowledged", "ada"],
    ["cleared", null],
  ]);
  assert.deepEqual((await bench.services.alarms.list(system, tenant, { state: "acknowledged" })).items, []);
  assert.equal(
    (await bench.services.alarms.list(system, tenant, { rule: "watch", severity: "major" })).items.length,
    1,
  );
});

// One that could not be stored would be told again for ever, and every alarm of the gateway behind it would wait.
test("alarms of one gateway and key stand side by side when their rule or name differs", async () => {
  const { identity, uid, device } = await plant(bench, "beside");
  const of = { kind: "raised", state: "unacknowledged", device: uid, key: device } as const;
  await take(identity, told(of), told({ ...of, alarm: "stuck" }), told({ ...of, rule: "c".repeat(32) as RuleUid }));
  const { items } = await bench.services.alarms.list(system, tenant, { device, active: true });
  assert.equal(items.length, 3);
});

test("an act waits until the gateway has answered, and comes once for the same key", async () => {
  const { identity } = await plant(bench, "acts");
  const raised = told({ kind: "raised", state: "unacknowledged" });
  await take(identity, raised);
  const { id } = await one();
  const request = { kind: "acknowledge", comment: "going", idempotencyKey: "k1" } as const;
  const { view, isSettled } = await bench.services.alarmActs.act(system, { tenant, id }, request);
  assert.deepEqual([view.state, isSettled], ["pending", false]);
  assert.ok(bench.nudges.includes(`alarm acts ${identity.node}`));
  await bench.services.alarmActs.act(system, { tenant, id }, request);
  const { pendingActs, actsDone } = bench.services.control.ruleAlarms!;
  const [act, ...others] = await pendingActs(identity);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [act?.rule, act?.alarm, act?.occurrence, act?.who, act?.comment],
    [rule, "hot", raised.occurrence, "system", "going"],
  );
  assert.deepEqual((await one()).pending, ["acknowledge"]);
  // Another gateway's word on it changes nothing.
  const { identity: other } = await plant(bench, "acts-other");
  await actsDone(other, [{ id: act!.id, reason: null }]);
  assert.equal((await pendingActs(identity)).length, 1);
  const waited = bench.services.alarmActs.act(system, { tenant, id }, { ...request, wait: "10s" });
  await actsDone(identity, [{ id: act!.id, reason: null }]);
  assert.deepEqual([(await waited).view.state, (await pendingActs(identity)).length], ["done", 0]);
  assert.deepEqual((await one()).pending, []);
});

test("an alarm that is over refuses, in the gateway's words", async () => {
  const { identity } = await plant(bench, "over");
  await take(identity, told({ kind: "raised", state: "unacknowledged" }));
  const { id } = await one();
  const act = bench.services.alarmActs.act(system, { tenant, id }, { kind: "acknowledge", idempotencyKey: "k2" });
  await act;
  const { pendingActs, actsDone } = bench.services.control.ruleAlarms!;
  const [pending] = await pendingActs(identity);
  await actsDone(identity, [{ id: pending!.id, reason: "rules/no-alarm" }]);
  const again = bench.services.alarmActs.act(system, { tenant, id }, { kind: "acknowledge", idempotencyKey: "k2" });
  await assert.rejects(again, refuses("rules/no-alarm"));
});

test("shelved and unshelved as the gateway tells; a shelf alone changes no state", async () => {
  const { identity } = await plant(bench, "shelf");
  const raised = told({ kind: "raised", state: "unacknowledged", alarm: "noisy" });
  const shelving = { until: 9_000_000_000_000_000 as Micros, by: "ada" };
  await take(
    identity,
    raised,
    told({ kind: "cleared", state: "normal", alarm: "noisy", occurrence: raised.occurrence }),
  );
  await take(identity, told({ kind: "shelved", state: "normal", alarm: "noisy", occurrence: 0, shelving }));
  assert.deepEqual((await one()).shelved, { until: "2255-03-14T16:00:00.000000Z", by: "ada" });
  assert.equal((await bench.services.alarms.list(system, tenant, { shelved: true })).items.length, 1);
  await take(identity, told({ kind: "unshelved", state: "normal", alarm: "noisy", occurrence: 0 }));
  assert.equal((await one()).shelved, null);
});

test("the system's own alarms are acknowledged here, with a line of history each", async () => {
  const { identity } = await plant(bench, "system");
  bench.services.control.raise(identity, { code: "outbox/full", key: "", message: "full" });
  await bench.services.alarms.close();
  const { id } = await one();
  const done = await bench.services.alarmActs.act(system, { tenant, id }, { kind: "acknowledge" });
  assert.equal(done.isSettled, true);
  bench.services.control.clear(identity, { code: "outbox/full", key: "" });
  await bench.services.alarms.close();
  assert.deepEqual([(await one()).state, (await one()).acknowledgedBy], ["normal", "system"]);
  assert.deepEqual(await historyOf(id), [
    ["raised", null],
    ["acknowledged", "system"],
    ["cleared", null],
  ]);
});

test("a gateway cannot learn the name of another tenant's device, nor touch its alarms", async () => {
  const { identity, uid } = await plant(bench, "mine");
  const other: NodeIdentity = { ...identity, tenant: "f".repeat(32) as TenantUid };
  const raised = told({ kind: "raised", state: "unacknowledged", device: uid });
  await take(identity, raised);
  await take(other, { ...raised, number: number + 50, state: "normal" });
  assert.equal((await one()).state, "unacknowledged");
  const rows = await bench.state.db.selectFrom("alarms").selectAll().where("tenant_uid", "=", other.tenant).execute();
  assert.deepEqual(
    rows.map(({ device_uid }) => device_uid),
    [null],
  );
});

test("history is kept for a year, and an alarm that is over as long goes with it", async () => {
  const { identity } = await plant(bench, "old");
  const raised = told({ kind: "raised", state: "unacknowledged", alarm: "old" });
  await take(identity, raised, told({ kind: "cleared", state: "normal", alarm: "old", occurrence: raised.occurrence }));
  const { id } = await one();
  const prune = (after: number) =>
    bench.state.db
      .transaction()
      .execute((trx) => pruneHistory(trx, identity.tenant, (1_000_000 * number + after) as Micros));
  await prune(limits.alarmHistoryMs * 1000 - 1_000_000);
  assert.equal((await historyOf(id)).length, 2);
  await prune(limits.alarmHistoryMs * 1000 + 1);
  await assert.rejects(bench.services.alarms.get(system, { tenant, id }), refuses("resource/not-found"));
});

test("shelved for a time is over when the time is, also before the gateway says so", async () => {
  const { identity } = await plant(bench, "late");
  const until = (bench.clock.now() + 60_000_000) as Micros;
  await take(identity, told({ kind: "raised", state: "unacknowledged", shelving: { until, by: "ada" } }));
  assert.equal((await one()).shelved?.by, "ada");
  bench.clock.move(60_000);
  assert.equal((await one()).shelved, null);
  assert.deepEqual((await bench.services.alarms.list(system, tenant, { shelved: true })).items, []);
});

test("what waits for a gateway that is deleted is refused", async () => {
  const { identity, node } = await plant(bench, "gone");
  await take(identity, told({ kind: "raised", state: "unacknowledged" }));
  const { id } = await one();
  await bench.services.alarmActs.act(system, { tenant, id }, { kind: "acknowledge" });
  await bench.services.devices.remove(system, { tenant, name: "conveyor-gone" }, "*");
  await bench.services.connections.remove(system, { tenant, name: "bus-gone" }, "*");
  await bench.services.nodes.remove(system, { tenant, name: node }, "*");
  assert.deepEqual([(await one()).state, (await one()).pending], ["normal", []]);
});
