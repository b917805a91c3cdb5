// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns in texts of actions are written so
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AlarmAct, AlarmTransition, DeviceUid, EffectiveRule, RuleUid } from "@penstock/model";
import type { ObjectValue } from "@penstock/rules";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import type { AlarmAction } from "./alarm-definition.ts";
import { type Alarms, openAlarms } from "./alarms.ts";

const rule = "r".repeat(32) as RuleUid;
const furnace = "d".repeat(32) as DeviceUid;
const hot: AlarmAction = {
  name: "hot",
  device: "${device}",
  severity: "critical",
  message: "${device} is at ${t}",
  when: { value: "t", above: { column: "limit" }, hysteresis: 5 },
};

/** Alarms over a disk that can crash, and a clock that the test moves. */
async function site(actions: readonly AlarmAction[] = [hot]) {
  const clock = new SimClock();
  const { files } = simDisk({ random: new SimRandom(1) });
  const acts: [on: string, n: number, row: ObjectValue][] = [];
  const metrics = metricsRegistry();
  const rules = (list: readonly AlarmAction[]) => [
    { uid: rule, name: "watch", isStopped: false, actions: list.map((alarm) => ({ alarm })) } as Pick<
      EffectiveRule,
      "uid" | "name" | "actions" | "isStopped"
    >,
  ];
  let number = 0;
  let alarms!: Alarms;
  const open = async (list = actions) => {
    alarms = await openAlarms({
      ...{ files, folder: "/alarms", clock, random: new SimRandom(7), log: silentLog, metrics },
    });
    alarms.apply({ rules: rules(list), deviceOf: (name) => (name === "furnace" ? furnace : null) });
  };
  await open();
  const told = (): readonly AlarmTransition[] => alarms.link.pendingTransitions();
  return {
    ...{ clock, acts, metrics, told, open },
    get alarms() {
      return alarms;
    },
    come: (row: ObjectValue, alarm = actions[0]!.name) =>
      alarms
        .sink({ rule: "watch", alarm, act: (...act) => acts.push(act) })
        .take({ rule: "watch", number: ++number, time: clock.now(), rows: [row] }),
    act: (act: Partial<AlarmAct> & Pick<AlarmAct, "kind">) =>
      alarms.link.takeActs([
        {
          ...{ id: `${++number}`.padStart(32, "0"), rule, alarm: actions[0]!.name, key: "furnace", occurrence: 0 },
          ...{ who: "ada", comment: null, until: null, ...act },
        },
      ]),
    apply: (list: readonly AlarmAction[]) =>
      alarms.apply({ rules: rules(list), deviceOf: (name) => (name === "furnace" ? furnace : null) }),
    /** kinds and states, as the cloud would be told */
    story: () => told().map(({ kind, state, who }) => [kind, state, ...(who === null ? [] : [who])].join(" ")),
    async restart() {
      await alarms.close();
      await open();
    },
  };
}
const at = (t: number, limit: number | null = 80) => ({ device: "furnace", t, limit });

test("a threshold that is a property of the device raises, and clears below its hysteresis", async () => {
  const { come, told, story } = await site();
  await come(at(80));
  assert.deepEqual(story(), []);
  await come(at(81));
  await come(at(76));
  assert.deepEqual(story(), ["raised unacknowledged"]);
  assert.deepEqual(
    [told()[0]?.message, told()[0]?.device, told()[0]?.severity, told()[0]?.key],
    ["furnace is at 81", furnace, "critical", "furnace"],
  );
  await come(at(75));
  await come(at(79));
  assert.deepEqual(story(), ["raised unacknowledged", "cleared returned"]);
  // The limit was lowered meanwhile: nothing of the rule has begun anew.
  await come(at(79, 70));
  assert.equal(story().at(-1), "raised unacknowledged");
  assert.equal(told().at(-1)?.count, 2);
});

test("a value is judged by the last limit that came, in whichever row", async () => {
  const { come, story } = await site();
  await come(at(100, null));
  assert.deepEqual(story(), []);
  await come({ device: "furnace", limit: 90 });
  assert.deepEqual(story(), ["raised unacknowledged"]);
});

test("a device is acted on in the turn in which the row comes, before anything is on disk", async () => {
  const write = { write: { device: "furnace", property: "run", value: false } };
  const s = await site([{ ...hot, onRaise: [write], onClear: [{ call: { device: "furnace", method: "resume" } }] }]);
  const written = s.come(at(81));
  assert.equal(s.acts.length, 1);
  assert.deepEqual(s.acts[0], ["raise", 0, at(81)]);
  assert.deepEqual(s.told(), []);
  await written;
  assert.equal(s.told().length, 1);
  await s.come(at(10));
  assert.deepEqual(s.acts[1], ["clear", 0, at(10)]);
});

test("delays: reason must last before it is raised, and be gone before it is cleared", async () => {
  const s = await site([{ ...hot, onDelay: "10s", offDelay: "5s" }]);
  await s.come(at(81));
  await s.clock.advanceAsync(9_000);
  await s.come(at(10));
  await s.come(at(81));
  await s.clock.advanceAsync(9_000);
  assert.deepEqual(s.story(), []);
  await s.clock.advanceAsync(1_000);
  assert.deepEqual(s.story(), ["raised unacknowledged"]);
  await s.come(at(10));
  await s.clock.advanceAsync(4_000);
  await s.come(at(81));
  await s.come(at(10));
  await s.clock.advanceAsync(4_000);
  assert.equal(s.story().length, 1);
  await s.clock.advanceAsync(1_000);
  assert.equal(s.story().at(-1), "cleared returned");
});

test("acknowledged by whom and with what; what is over and acknowledged is normal", async () => {
  const s = await site();
  await s.come(at(81));
  const occurrence = s.told()[0]!.occurrence;
  assert.deepEqual((await s.act({ kind: "acknowledge", occurrence, comment: "seen" }))[0]?.reason, null);
  assert.deepEqual([s.story().at(-1), s.told().at(-1)?.comment], ["acknowledged acknowledged ada", "seen"]);
  await s.come(at(10));
  assert.equal(s.story().at(-1), "cleared normal");
  await s.come(at(81));
  assert.notEqual(s.told().at(-1)?.occurrence, occurrence);
  // The one that was seen is over: another must not be taken for it.
  assert.equal((await s.act({ kind: "acknowledge", occurrence }))[0]?.reason, "rules/no-alarm");
  await s.come(at(10));
  await s.act({ kind: "acknowledge" });
  assert.equal(s.story().at(-1), "acknowledged normal ada");
});

test("an act that comes twice is one, also over a restart", async () => {
  const s = await site();
  await s.come(at(81));
  const act = { kind: "acknowledge", id: "a".repeat(32) } as const;
  await s.act(act);
  await s.restart();
  assert.equal((await s.act(act))[0]?.reason, null);
  assert.deepEqual(s.story(), ["raised unacknowledged", "acknowledged acknowledged ada"]);
});

test("shelved until a time, or until it has returned to normal once", async () => {
  const s = await site();
  await s.act({ kind: "shelve", until: (s.clock.now() + 60_000_000) as AlarmTransition["time"] });
  await s.come(at(81));
  assert.notEqual(s.told().at(-1)?.shelving, null);
  await s.clock.advanceAsync(60_000);
  assert.equal(s.story().at(-1), "unshelved unacknowledged");
  await s.act({ kind: "shelve" });
  await s.come(at(10));
  assert.deepEqual([s.story().at(-1), s.told().at(-1)?.shelving], ["cleared returned", null]);
});

test("nobody acknowledges: it escalates in steps", async () => {
  const escalate = [{ after: "5m" }, { after: "10m", severity: "critical" as const }];
  const s = await site([{ ...hot, severity: "minor", escalate }]);
  await s.come(at(81));
  await s.clock.advanceAsync(5 * 60_000);
  await s.clock.advanceAsync(5 * 60_000);
  assert.deepEqual(
    s.told().map(({ kind, severity, escalated }) => [kind, severity, escalated]),
    [
      ["raised", "minor", 0],
      ["escalated", "minor", 1],
      ["escalated", "critical", 2],
    ],
  );
});

test("stuck, gap, rate and out of band", async () => {
  const base = { device: "furnace", message: "m" };
  const s = await site([
    { ...base, name: "stuck", when: { value: "t", stuck: { for: "10s", by: 0.5 } } },
    { ...base, name: "gap", when: { value: "t", gap: { for: "20s" } } },
    { ...base, name: "rate", when: { value: "t", rate: { above: 10, within: "5s" } } },
    { ...base, name: "band", when: { value: "t", outside: { of: { column: "limit" }, by: 3 }, hysteresis: 1 } },
  ]);
  const come = async (row: ObjectValue) => {
    for (const name of ["stuck", "gap", "rate", "band"]) await s.come(row, name);
  };
  const news = () => s.told().map(({ alarm, kind }) => `${alarm} ${kind}`);
  await come({ t: 20, limit: 20 });
  await s.clock.advanceAsync(9_000);
  await come({ t: 20.4 });
  await s.clock.advanceAsync(1_000);
  assert.deepEqual(news(), ["stuck raised"]);
  await come({ t: 23.5 });
  assert.deepEqual(news().slice(1), ["stuck cleared", "band raised"]);
  await come({ t: 34 });
  assert.deepEqual(news().slice(3), ["rate raised"]);
  await s.clock.advanceAsync(5_001);
  assert.deepEqual(news().slice(4), ["rate cleared"]);
  await s.clock.advanceAsync(15_000);
  assert.deepEqual(news().slice(5).sort(), ["gap raised", "stuck raised"]);
  await come({ t: 21 });
  assert.ok(news().includes("gap cleared") && news().includes("band cleared"));
});

test("a gap shows though nothing has ever come", async () => {
  const s = await site([
    { name: "gap", device: "furnace", message: "silent", when: { value: "t", gap: { for: "5s" } } },
  ]);
  await s.clock.advanceAsync(5_000);
  assert.deepEqual([s.story(), s.told()[0]?.device], [["raised unacknowledged"], furnace]);
});

test("rows alone: it stands while they come", async () => {
  const s = await site([{ name: "rows", message: "m ${t}", clearAfter: "3s" }]);
  await s.come({ t: 1 });
  await s.clock.advanceAsync(2_000);
  await s.come({ t: 2 });
  await s.clock.advanceAsync(2_000);
  assert.deepEqual(s.story(), ["raised unacknowledged"]);
  await s.clock.advanceAsync(1_000);
  assert.equal(s.story().at(-1), "cleared returned");
});

test("a flood of many keys is one alarm with a count, and every device is acted on", async () => {
  const onRaise = [{ write: { device: "${device}", property: "run", value: false } }];
  const flooded: AlarmAction = {
    ...{ name: "flooded", device: "${device}", message: "${device} fails", active: "bad", onRaise },
    flood: { more: 3, within: "10s" },
  };
  const s = await site([flooded]);
  for (let i = 0; i < 50; i++) await s.come({ device: `m-${i}`, bad: true });
  assert.equal(s.acts.length, 50);
  assert.deepEqual(
    s.told().map(({ key }) => key),
    ["m-0", "m-1", "m-2", "*"],
  );
  await s.clock.advanceAsync(5_000);
  assert.deepEqual([s.told().at(-1)?.kind, s.told().at(-1)?.count], ["counted", 47]);
  await s.restart();
  for (let i = 0; i < 50; i++) await s.come({ device: `m-${i}`, bad: false });
  const group = s.told().filter(({ key }) => key === "*");
  assert.deepEqual([group.at(-1)?.kind, group.at(-1)?.state, group.at(-1)?.count], ["cleared", "returned", 47]);
  assert.equal((await s.act({ kind: "acknowledge", key: "*" }))[0]?.reason, null);
  await s.clock.advanceAsync(10_000);
  await s.come({ device: "m-40", bad: true });
  assert.equal(s.told().at(-1)?.key, "m-40");
});

test("one that comes and goes all the time stands until it has been quiet", async () => {
  const s = await site([{ ...hot, flood: { more: 100, within: "1m" } }]);
  for (let i = 0; i < 50; i++) {
    await s.come(at(81));
    await s.come(at(10));
    await s.clock.advanceAsync(100);
  }
  assert.ok(s.told().length < 20, `${s.told().length}`);
  assert.equal(s.told().at(-1)?.state, "unacknowledged");
  await s.clock.advanceAsync(61_000);
  assert.equal(s.told().at(-1)?.kind, "cleared");
});

test("values of ever new keys are watched without end; what stands is bounded, and what is beyond is counted", async () => {
  const s = await site();
  const rows = (from: number, count: number, t: number) =>
    Array.from({ length: count }, (_, i) => ({ device: `m-${from + i}`, t, limit: 80 }));
  const sink = s.alarms.sink({ rule: "watch", alarm: "hot", act() {} });
  const take = (of: readonly ObjectValue[]) => sink.take({ rule: "watch", number: 1, time: s.clock.now(), rows: of });
  await take(rows(0, 10_500, 20));
  assert.equal(s.metrics.totals().penstock_rules_alarms_dropped_total ?? 0, 0);
  await s.clock.advanceAsync(1000);
  await take(rows(20_000, 10_010, 90));
  assert.equal(s.metrics.totals().penstock_rules_alarms_dropped_total, 10);
  s.apply([]);
  s.apply([hot]);
  await take(rows(40_000, 1, 90));
  assert.equal(s.metrics.totals().penstock_rules_alarms_dropped_total, 10, "what ended makes room");
});

test("what stands survives a restart, and numbers go on", async () => {
  const s = await site([{ ...hot, offDelay: "2s" }]);
  await s.come(at(81));
  await s.alarms.link.transitionsTaken(s.alarms.link.epoch(), [1]);
  await s.restart();
  assert.deepEqual(s.told(), []);
  await s.come(at(78));
  assert.deepEqual(s.story(), [], "within the hysteresis it still stands");
  await s.come(at(10));
  await s.clock.advanceAsync(2_000);
  assert.deepEqual(
    s.told().map(({ number, occurrence, kind }) => [number, occurrence, kind]),
    [[2, 1, "cleared"]],
  );
});

test("when its rule goes, it ends; also when that was while the gateway was off", async () => {
  const s = await site();
  await s.come(at(81));
  s.apply([]);
  await s.alarms.close();
  await s.open();
  assert.deepEqual(s.story(), ["raised unacknowledged", "removed normal"]);
  await s.come(at(81));
  await s.alarms.close();
  await s.open([]);
  await s.alarms.close();
  await s.open();
  assert.deepEqual(s.story().slice(2), ["raised unacknowledged", "removed normal"]);
});
