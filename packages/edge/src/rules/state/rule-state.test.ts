import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { SimClock, SimRandom, settle, simDisk, simStart } from "@penstock/testkit";
import { openRuleState, type RuleStateOptions } from "./open-rule-state.ts";
import type { RuleInput, RuleState } from "./rule-state.ts";
import { batchOf, device, eventRuleOf, type Give, ruleOf, SlowClock } from "./state-fixture.ts";

const lag = "SELECT a, lag(a) AS before FROM d";
const sum = "SELECT sum(a) AS s FROM d GROUP BY COUNTWINDOW(3)";

/** A gateway's disk and clock; each `live` is a process on it, the one before is dead. */
function gateway(options: Partial<RuleStateOptions> = {}) {
  const disk = simDisk({ random: new SimRandom(1) });
  const clock = (options.clock as SimClock | undefined) ?? new SimClock();
  const metrics = metricsRegistry();
  const out: string[] = [];
  /** outputs that no sink takes before it is let go */
  const held: (() => void)[] = [];
  let isHolding = false;
  let value = 0;
  const drain = async () => {
    for (let turns = 0; turns < 30; turns++) await settle();
  };
  return {
    ...{ disk, clock, metrics, out, held, drain },
    hold: (on: boolean) => {
      isHolding = on;
    },
    counted: (what: string) => metrics.totals()[`penstock_rules_state_${what}`] ?? 0,
    async live(rules: Readonly<Record<string, string>>): Promise<RuleState> {
      disk.kill();
      const state = await openRuleState({
        ...{ files: disk.files, folder: "/data/rules", clock, log: silentLog, metrics, ...options },
      });
      for (const [id, sql] of Object.entries(rules)) state.begin(this.rule(state, id, sql));
      await state.replay();
      await drain();
      return state;
    },
    rule: (state: RuleState, id: string, sql: string) =>
      ruleOf(id, sql, (rule, number, rows, output) =>
        state.emit(async () => {
          out.push(`${rule} ${number} ${rows}`);
          if (isHolding) await new Promise<void>((resolve) => void held.push(resolve));
        }, output),
      ),
    async take(state: RuleState, count: number) {
      for (let n = 0; n < count; n++) {
        await state.take({ t: "batch", batch: batchOf(++value) });
        await clock.advanceAsync(10);
      }
      await drain();
    },
    /** Until a checkpoint is due and written. */
    async checkpoint() {
      await clock.advanceAsync(options.checkpointEveryMs ?? 10_000);
      await drain();
    },
  };
}

test("a rule that is changed takes up what fits and goes on counting, also when the gateway stops at once", async () => {
  const all = gateway();
  const state = await all.live({ r: lag });
  await all.take(state, 3);
  state.begin(all.rule(state, "r", `${lag} WHERE a > 0`));
  await all.take(state, 1);
  assert.equal(all.out.at(-1), 'r 4 [{"a":4,"before":3}]');
  const again = await all.live({ r: `${lag} WHERE a > 0` });
  assert.equal(all.out.at(-1), 'r 4 [{"a":4,"before":3}]');
  await all.take(again, 1);
  assert.equal(all.out.at(-1), 'r 5 [{"a":5,"before":4}]');
});

// The plan that gave them is gone, so that nobody could compute them again.
test("what a rule gave before it was changed, and no sink has taken, is given by the new one after a crash", async () => {
  const all = gateway();
  const changed = `${lag} WHERE a > 0`;
  const state = await all.live({ r: lag });
  await all.take(state, 1);
  all.hold(true);
  await all.take(state, 2);
  state.begin(all.rule(state, "r", changed));
  await all.take(state, 1);
  // Changed once more: what two versions before gave is not forgotten.
  state.begin(all.rule(state, "r", lag));
  await all.take(state, 1);
  all.hold(false);
  assert.equal(all.out.length, 5);
  const again = await all.live({ r: lag });
  assert.deepEqual(all.out.slice(5), all.out.slice(1, 5));
  await all.take(again, 1);
  assert.equal(all.out.at(-1), 'r 6 [{"a":6,"before":5}]');
  // Nothing is given a third time that was taken.
  await all.checkpoint();
  const given = all.out.length;
  await all.live({ r: lag });
  assert.equal(all.out.length, given);
});

test("of what no sink has taken so much is kept over a change, and what is not is counted", async () => {
  const all = gateway();
  const long = "SELECT a, collect(a) AS all FROM d GROUP BY COUNTWINDOW(5000, 1)";
  const state = await all.live({ r: long });
  for (let n = 0; n < 5040; n++) void state.take({ t: "batch", batch: batchOf(n) });
  all.hold(true);
  await all.drain();
  assert.equal(all.out.length, 41);
  state.begin(all.rule(state, "r", lag));
  await all.drain();
  const kept = 41 - all.counted("unsure_outputs_total");
  assert.ok(kept > 15 && kept < 30, `${kept} kept`);
  all.hold(false);
  await all.live({ r: lag });
  assert.deepEqual(all.out.slice(41), all.out.slice(41 - kept, 41));
});

/** A rule that stops by itself at an input, in the life in which it is told to. */
function stopping(rule: ReturnType<typeof ruleOf>, at: number | null) {
  let failure: object | null = null;
  let left = at ?? Number.POSITIVE_INFINITY;
  const stops = {
    take(input: RuleInput) {
      if (failure !== null) return;
      rule.take(input);
      if (--left === 0) failure = {};
    },
  };
  // Its number and due are asked anew each time.
  return new Proxy(rule, {
    get: (of, name) => (name === "failure" ? failure : name === "take" ? stops.take : Reflect.get(of, name)),
  });
}

// It is stopped by a clock, and a replay has none: it would go further than it went, under numbers that it has not given.
test("a rule that was stopped sees nothing more in a replay, and goes on from there under numbers of its own", async () => {
  for (const [isWritten, seen] of [
    [false, "4"],
    [true, "4"],
  ] as const) {
    const all = gateway();
    const live = async (at: number | null) => {
      all.disk.kill();
      const { files } = all.disk;
      const state = await openRuleState({
        ...{ files, folder: "/data/rules", clock: all.clock, log: silentLog, metrics: all.metrics },
      });
      state.begin(stopping(all.rule(state, "r", lag), at));
      await state.replay();
      await all.drain();
      return state;
    };
    await all.take(await live(4), 6);
    assert.equal(all.out.length, 4);
    if (isWritten) await all.checkpoint();
    // What sinks had not said that they took is given again; nothing that came after it stopped.
    const again = await live(null);
    assert.deepEqual(all.out.slice(4), isWritten ? [] : all.out.slice(0, 4));
    assert.deepEqual(again.status().inexact, ["r"]);
    const given = all.out.length;
    await all.take(again, 1);
    assert.deepEqual(all.out.slice(given), [`r 5 [{"a":7,"before":${seen}}]`]);
    await all.take(await live(null), 1);
    assert.equal(all.out.at(-1), 'r 6 [{"a":8,"before":7}]');
    assert.equal(new Set(all.out).size, 6, "a number stands for one output");
  }
});

// When it began is in it: how long a source has said nothing, and rule_start().
test("a rule that came while others were at work remembers after a crash when it began", async () => {
  const all = gateway();
  const join =
    "SELECT x.a AS a, e.a AS b, rule_start() AS s FROM d AS x LEFT JOIN e ON e.a = x.a GROUP BY TUMBLINGWINDOW(ss, 1)";
  const begin = (state: RuleState) => {
    const give: Give = (id, number, rows, output) =>
      state.emit(async () => void all.out.push(`${id} ${number} ${rows}`), output);
    state.begin(eventRuleOf("r", join, { give, clock: all.clock }));
  };
  const take = async (state: RuleState, values: readonly number[]) => {
    for (const value of values) {
      void state.take({ t: "batch", batch: batchOf(value, { time: simStart + value * 100_000 }) });
      await all.clock.advanceAsync(200);
      await all.drain();
    }
  };
  const state = await all.live({ other: lag });
  begin(state);
  const values = Array.from({ length: 40 }, (_, at) => (at % 5 === 4 ? at - 30 : at));
  await take(state, values);
  const given = all.out.filter((line) => line.startsWith("r"));
  assert.ok(given.length > 1);
  all.disk.kill();
  await all.clock.advanceAsync(60_000);
  all.out.length = 0;
  const again = await openRuleState({
    ...{ files: all.disk.files, folder: "/data/rules", clock: all.clock, log: silentLog, metrics: all.metrics },
  });
  begin(again);
  await again.replay();
  await all.drain();
  assert.deepEqual(all.out.slice(0, given.length), given);
});

test("a replay gives way, and what comes meanwhile comes after it", async () => {
  const clock = new SlowClock({ lookMicros: 0 });
  const all = gateway({ clock });
  await all.take(await all.live({ r: lag, s: lag }), 20);
  const given = all.out.splice(0);
  all.disk.kill();
  clock.lookMicros = 6000;
  const again = await openRuleState({
    ...{ files: all.disk.files, folder: "/data/rules", clock, log: silentLog, metrics: all.metrics },
  });
  for (const id of ["r", "s"]) again.begin(all.rule(again, id, lag));
  let isDone = false;
  void again.replay().then(() => {
    isDone = true;
  });
  void again.take({ t: "batch", batch: batchOf(21) });
  let turns = 0;
  for (; !isDone && turns < 100; turns++) {
    await all.drain();
    if (turns === 0) assert.ok(all.out.length <= 4, `${all.out.length} outputs in one turn`);
    await clock.advanceAsync(1);
  }
  assert.ok(isDone);
  for (let turn = 0; turn < 5; turn++) await clock.advanceAsync(1);
  await all.drain();
  assert.deepEqual(all.out, [...given, 'r 21 [{"a":21,"before":20}]', 's 21 [{"a":21,"before":20}]']);
});

test("a rule that is changed while others have their turns has seen the input that it gave something of, and no more", async () => {
  const clock = new SlowClock({ lookMicros: 0 });
  const all = gateway({ clock });
  const changed = `${lag} WHERE a > 0`;
  const state = await all.live({ a: lag, b: lag, c: lag, d: lag });
  await all.take(state, 1);
  clock.lookMicros = 6000;
  const taken = state.take({ t: "batch", batch: batchOf(7) });
  // a and b have had it.
  for (const id of ["b", "c"]) state.begin(all.rule(state, id, changed));
  let isDone = false;
  void Promise.resolve(taken).then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 20 && !isDone; turn++) await clock.advanceAsync(1);
  clock.lookMicros = 0;
  await all.take(state, 1);
  const lines = ['a 3 [{"a":2,"before":7}]', 'b 3 [{"a":2,"before":7}]', 'c 2 [{"a":2,"before":1}]'];
  for (const line of lines) assert.ok(all.out.includes(line), line);
  assert.ok(!all.out.some((line) => line.startsWith("c") && line.includes('"a":7')), "which did not see it");
  const given = new Set(all.out);
  await all.live({ a: lag, b: changed, c: changed, d: lag });
  assert.deepEqual(new Set(all.out), given);
});

test("a rule that is changed while the gateway is off takes up what fits, and uses no number again", async () => {
  const all = gateway();
  await all.take(await all.live({ r: lag }), 3);
  const state = await all.live({ r: `${lag} WHERE a > 0` });
  assert.equal(all.out.length, 3, "what it gave before is another query's");
  await all.take(state, 1);
  const [, number, row] = all.out.at(-1)!.split(" ");
  assert.equal(row, '[{"a":4,"before":3}]'.replace(" ", ""));
  assert.ok(Number(number) > 1_000_000);
});

test("a rule that ends is forgotten; one that comes back counts on and remembers nothing", async () => {
  const all = gateway();
  const state = await all.live({ r: lag, other: sum });
  await all.take(state, 2);
  state.end("r", { keepsNumber: true });
  await all.take(state, 1);
  state.begin(all.rule(state, "r", lag));
  await all.take(state, 1);
  assert.equal(all.out.at(-1), 'r 3 [{"a":4,"before":null}]');
  const again = await all.live({ r: lag, other: sum });
  await all.take(again, 1);
  assert.deepEqual(all.out.slice(-1), ['r 4 [{"a":5,"before":4}]']);
  assert.ok(all.out.includes('other 1 [{"s":6}]'));
});

test("a checkpoint takes the place of inputs, and waits for outputs that no sink has taken", async () => {
  const all = gateway({ rollBytes: 300 });
  const state = await all.live({ r: lag });
  await all.take(state, 20);
  assert.ok(state.status().journalBytes > 1500);
  await all.checkpoint();
  assert.ok(state.status().journalBytes < 600, `${state.status().journalBytes} bytes`);
  all.hold(true);
  await all.take(state, 1);
  all.hold(false);
  await all.take(state, 20);
  await all.checkpoint();
  assert.ok(state.status().journalBytes > 1500, "it passed an output on its way");
  const given = all.out.length;
  await all.live({ r: lag });
  assert.deepEqual(all.out.slice(given), all.out.slice(given - 21, given));
});

test("more inputs than there is room for: a checkpoint makes it without waiting for sinks, and counts their outputs", async () => {
  const all = gateway({ rollBytes: 300, journalBytes: 3000 });
  const state = await all.live({ r: lag });
  all.hold(true);
  await all.take(state, 100);
  assert.ok(state.status().journalBytes <= 3300, `${state.status().journalBytes} bytes`);
  assert.ok(all.counted("unsure_outputs_total") > 0);
  assert.equal(all.counted("dropped_inputs_total"), 0);
  all.hold(false);
  const again = await all.live({ r: lag });
  assert.deepEqual(again.status().inexact, []);
  await all.take(again, 1);
  assert.equal(all.out.at(-1), 'r 101 [{"a":101,"before":100}]');
});

test("where not even a checkpoint can be written the oldest inputs go, are counted, and the rule says that it is not exact", async () => {
  const all = gateway({ rollBytes: 300, journalBytes: 3000 });
  const state = await all.live({ r: lag });
  await all.take(state, 20);
  for (let n = 0; n < 100; n++) all.disk.failNext("rename", "checkpoint", "EIO");
  await all.take(state, 60);
  assert.ok(state.status().journalBytes <= 3300);
  assert.ok(all.counted("dropped_inputs_total") > 0);
  assert.equal(state.status().isDurable, true);
  const again = await all.live({ r: lag });
  assert.deepEqual(again.status().inexact, ["r"]);
});

test("on a full disk rules go on and say so; with room again they are kept from then on", async () => {
  const all = gateway();
  const state = await all.live({ r: lag });
  await all.take(state, 2);
  all.disk.capacity = all.disk.used;
  await all.take(state, 3);
  assert.equal(all.out.at(-1), 'r 5 [{"a":5,"before":4}]');
  assert.equal(state.status().isDurable, false);
  assert.equal(all.counted("unkept_inputs_total"), 3);
  all.disk.capacity = Number.POSITIVE_INFINITY;
  await all.checkpoint();
  assert.equal(state.status().isDurable, true);
  await all.take(state, 1);
  const again = await all.live({ r: lag });
  assert.deepEqual(again.status().inexact, []);
  await all.take(again, 1);
  assert.equal(all.out.at(-1), 'r 7 [{"a":7,"before":6}]');
});

test("a gateway that stops while its disk is full uses no output number again, and says what is not exact", async () => {
  const all = gateway();
  await all.take(await all.live({ r: lag }), 2);
  const state = await all.live({ r: lag });
  all.disk.capacity = all.disk.used;
  await all.take(state, 3);
  const numbers = new Set(all.out.map((line) => line.split(" ")[1]));
  all.disk.capacity = Number.POSITIVE_INFINITY;
  const given = all.out.length;
  const again = await all.live({ r: lag });
  assert.deepEqual(again.status().inexact, ["r"]);
  await all.take(again, 1);
  for (const line of all.out.slice(given)) assert.ok(!numbers.has(line.split(" ")[1]), line);
});

test("a damaged checkpoint is no reason not to start", async () => {
  const all = gateway();
  const state = await all.live({ r: lag });
  await all.take(state, 2);
  await all.checkpoint();
  all.disk.flip("/data/rules/checkpoint", 20);
  const again = await all.live({ r: lag });
  assert.deepEqual(again.status().inexact, ["r"]);
  await all.take(again, 1);
  assert.match(all.out.at(-1)!, /"a":3/);
});

test("a row that another rule gave is taken once, however often it comes", async () => {
  const all = gateway();
  const of = { up: "SELECT count(*) AS n, sum(a) AS s FROM m GROUP BY COUNTWINDOW(2)" };
  const row = (state: RuleState, number: number) =>
    state.take({
      ...{ t: "row", stream: "m", content: { a: number }, meta: {}, at: null },
      from: { rule: "down", number, row: 0 },
    });
  const state = await all.live(of);
  assert.ok(state.reads({ stream: "m" }) && !state.reads({ device }));
  await row(state, 1);
  await row(state, 1);
  await all.drain();
  const again = await all.live(of);
  await row(again, 1);
  assert.deepEqual(all.out, []);
  await row(again, 2);
  await all.drain();
  assert.deepEqual(all.out, ['up 1 [{"n":"2n","s":3}]']);
});

test("close() puts what rules remember on the disk, and the next start reads no input", async () => {
  const all = gateway();
  const state = await all.live({ s: sum });
  await all.take(state, 2);
  const closed = state.close();
  await all.clock.advanceAsync(2000);
  await closed;
  assert.equal(all.counted("checkpoints_total"), 1);
  const again = await all.live({ s: sum });
  await all.take(again, 1);
  assert.deepEqual(all.out, ['s 1 [{"s":6}]']);
});
