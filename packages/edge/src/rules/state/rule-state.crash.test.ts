import assert from "node:assert/strict";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, type SimDisk, SimRandom, settle, simDisk, simStart } from "@penstock/testkit";
import { openRuleState } from "./open-rule-state.ts";
import type { RuleState } from "./rule-state.ts";
import { batchOf, device, eventRuleOf, type Give, otherDevice, ruleOf, SlowClock } from "./state-fixture.ts";

const queries = [
  "SELECT count(*) AS n, sum(a) AS s, window_end() AS e FROM d GROUP BY TUMBLINGWINDOW(ss, 1)",
  "SELECT collect(a) AS all, window_start() AS s FROM d GROUP BY HOPPINGWINDOW(ss, 3, 1)",
  "SELECT collect(a) AS all FROM d GROUP BY SLIDINGWINDOW(ms, 900, 400)",
  "SELECT sum(a) AS s, last_agg_hit_count() AS n FROM d GROUP BY COUNTWINDOW(4, 2)",
  "SELECT a, lag(a) AS before, acc_sum(a) AS total, event_time() AS at FROM d",
  "SELECT count(*) AS n FROM d GROUP BY SESSIONWINDOW(ss, 5, 1)",
  "SELECT x.a AS a, y.a AS b FROM d AS x LEFT JOIN d AS y ON y.a = x.a + 1 GROUP BY TUMBLINGWINDOW(ss, 2)",
] as const;

/** Rows of their own times, some of them late; `e` says something now and then. */
const eventQueries = [
  "SELECT count(*) AS n, sum(a) AS s, window_end() AS e FROM d GROUP BY TUMBLINGWINDOW(ss, 1)",
  "SELECT a, lag(a) AS before, event_time() AS at FROM d",
  "SELECT d.a AS a, e.a AS b FROM d INNER JOIN e ON d.a < e.a GROUP BY TUMBLINGWINDOW(ss, 4)",
  "SELECT d.a AS a, e.a AS b FROM e LEFT JOIN d ON d.a > e.a GROUP BY SLIDINGWINDOW(ss, 2)",
] as const;
/** Tells each reading of the second device with its moment. */
const other = "SELECT a, event_time() AS at, lag(a) AS before FROM e";

/** When a reading was taken: some 100 ms after the one before, or longer before it than is waited for. */
const takenAt = (value: number) =>
  simStart + value * 110_000 + ((value * 7919) % 13) * 150_000 - (value % 17 === 0 ? 2_000_000 : 0);
const deviceOf = (value: number) => (value % 9 === 3 && value % 100 > 40 ? otherDevice : device);
const batchAt = (value: number) => batchOf(value, { of: deviceOf(value), time: takenAt(value) });

/** What no crash takes back. */
interface World {
  value: number;
  /** outputs that sinks had, by rule and number */
  readonly taken: Map<string, string>;
  readonly clashes: string[];
  crashes: number;
}

async function life(of: {
  disk: SimDisk;
  random: SimRandom;
  clock: SimClock;
  world: World;
  isAlive: () => boolean;
}): Promise<RuleState> {
  const { disk, random, clock, world } = of;
  /** Until it resolves, others have their turns. */
  const turned = async (work: void | Promise<void>) => {
    let isDone = work === undefined;
    void work?.then(() => {
      isDone = true;
    });
    while (!isDone && of.isAlive()) {
      await clock.advanceAsync(0);
      await settle();
    }
  };
  const state = await openRuleState({
    ...{ files: disk.files, folder: "/data/rules/state", clock, log: silentLog, metrics: metricsRegistry() },
    ...{ checkpointEveryMs: 1000, rollBytes: random.between(300, 3000) },
  });
  const give: Give = (rule, number, rows, output) =>
    state.emit(async () => {
      // Some sinks take their time; an output that is on its way when the gateway stops has not been taken.
      if (random.chance(0.2)) await new Promise<void>((resolve) => void clock.after(random.between(1, 3000), resolve));
      if (!of.isAlive()) return;
      const key = `${rule} ${number}`;
      const before = world.taken.get(key);
      if (before !== undefined && before !== rows) world.clashes.push(`${key}: ${before} and ${rows}`);
      world.taken.set(key, rows);
    }, output);
  for (const [at, sql] of queries.entries()) state.begin(ruleOf(`rule-${at}`, sql, give));
  state.begin(otherRule(give));
  const eventRules = eventQueries.map((sql, at) => eventRuleOf(`event-${at}`, sql, { give, clock }));
  // The first time they come while others are at work.
  const isFirst = world.value === 0;
  if (!isFirst) for (const one of eventRules) state.begin(one);
  await turned(state.replay());
  if (isFirst) for (const one of eventRules) state.begin(one);
  for (let turn = 0; turn < 40; turn++) {
    world.value++;
    const waiting = state.take({ t: "batch", batch: batchAt(world.value) });
    if (random.chance(0.5)) await turned(waiting);
    if (random.chance(0.3)) await settle();
    await clock.advanceAsync(random.pick([0, 10, 200, 700, 1500]));
  }
  return state;
}

function otherRule(give: Give) {
  return Object.assign(Object.create(ruleOf("other", other, give)) as ReturnType<typeof ruleOf>, {
    devices: [otherDevice],
  });
}

/** What rules that tell each reading with its moment have seen, in order: inputs that never came to the disk are not in it. */
function inputsOf(taken: ReadonlyMap<string, string>): { readonly a: number; readonly now: Micros }[] {
  const rows: { readonly a: number; readonly now: Micros }[] = [];
  for (const rule of ["rule-4", "other"]) {
    for (let number = 1; taken.has(`${rule} ${number}`); number++) {
      const [{ a, at }] = JSON.parse(taken.get(`${rule} ${number}`)!) as [{ a: number; at: string }];
      rows.push({ a, now: (Number(at.slice(0, -1)) * 1000) as Micros });
    }
  }
  return rows.sort((one, another) => one.a - another.a);
}

async function play(seed: number): Promise<World> {
  const random = new SimRandom(seed);
  // Some lives have to give way after every other look at the clock.
  const clockFrom = (start?: Micros) =>
    new SlowClock({ lookMicros: random.pick([0, 0, 4000, 11_000]), ...(start !== undefined && { start }) });
  let clock = clockFrom();
  const world: World = { value: 0, taken: new Map(), clashes: [], crashes: 0 };
  let left = 0;
  let struck = () => {};
  const disk = simDisk({
    random: random.fork(),
    step: async () => {
      if (random.chance(0.05)) for (let turns = 4; turns > 0; turns--) await settle();
      if (--left !== 0) return;
      world.crashes++;
      if (random.chance(0.6)) disk.crash();
      else disk.kill();
      struck();
    },
  });
  for (let lives = 0; lives < 6; lives++) {
    left = random.between(1, 200);
    const crash = new Promise<void>((resolve) => {
      struck = resolve;
    });
    let isAlive = true;
    await Promise.race([life({ disk, random, clock, world, isAlive: () => isAlive }), crash]);
    isAlive = false;
    disk.kill();
    await clock.advanceAsync(random.pick([0, 500, 5000]));
    // Nobody knows how long it was off: a clock without a battery shows less than it did.
    clock = clockFrom((clock.now() - random.pick([0, 0, 2_000_000])) as Micros);
  }
  left = 0;
  disk.kill();
  const state = await life({ disk, random, clock, world, isAlive: () => true });
  for (let seconds = 0; seconds < 20; seconds++) {
    await clock.advanceAsync(1000);
    // The disk takes its turns too.
    for (let turns = 0; turns < 20; turns++) await settle();
  }
  assert.deepEqual(state.status().inexact, []);
  const undisturbed = new Map<string, string>();
  const note: Give = (rule, number, rows) => void undisturbed.set(`${rule} ${number}`, rows);
  const rules = queries.map((sql, at) => ruleOf(`rule-${at}`, sql, note));
  rules.push(otherRule(note));
  const all = [
    ...rules,
    ...eventQueries.map((sql, at) => eventRuleOf(`event-${at}`, sql, { give: note, clock: new SimClock() })),
  ];
  for (const { a, now } of inputsOf(world.taken)) {
    for (const rule of all) if (rule.devices.includes(deviceOf(a))) rule.take({ t: "batch", now, batch: batchAt(a) });
  }
  for (const rule of all) rule.take({ t: "tick", now: (clock.now() + 1) as Micros });
  assert.deepEqual(world.clashes, []);
  assert.deepEqual(Object.fromEntries([...world.taken].sort()), Object.fromEntries([...undisturbed].sort()));
  return world;
}

test("after a crash between any two steps rules give what an undisturbed run gives, repeats removed by number", async () => {
  let crashes = 0;
  let outputs = 0;
  const kinds = new Map<string, number>();
  for (let seed = 1; seed <= 15; seed++) {
    try {
      const world = await play(seed);
      crashes += world.crashes;
      outputs += world.taken.size;
      for (const key of world.taken.keys()) {
        const [rule] = key.split(" ");
        kinds.set(rule!, 1 + (kinds.get(rule!) ?? 0));
      }
    } catch (error) {
      throw new Error(`Seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  assert.ok(crashes > 50, `only ${crashes} crashes struck`);
  assert.ok(outputs > 3000, `only ${outputs} outputs`);
  for (const [rule, count] of kinds) assert.ok(count > 30, `only ${count} outputs of ${rule}`);
});
