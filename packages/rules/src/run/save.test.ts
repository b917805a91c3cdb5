import assert from "node:assert/strict";
import { test } from "node:test";
import { SimRandom } from "@penstock/testkit";
import { testHost } from "../functions/test-host.ts";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import type { Saved } from "../value/saved.ts";
import { decodeSaved, encodeSaved } from "../value/saved-codec.ts";
import type { Value } from "../value/value.ts";
import { QueryRunner } from "./query-runner.ts";
import { type Message, rowReader } from "./read-row.ts";
import { randomRule } from "./test-rules.ts";

type Event = { readonly now: number; readonly stream: string; readonly content: Message["content"] | null };

/** A rule at work that can be stopped and gone on with; its outputs and errors as bytes, so that they compare to the bit. */
function begin(sql: string, mode: Mode, startedAt = 0) {
  const schema = (name: string) => ({ name, columns: null });
  const plan = planQuery({
    ...{ sql, mode, ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt, catalog: schema },
  });
  const readers = plan.sources.map((source) => rowReader(source, schema(source.stream)));
  const out: string[] = [];
  const runner = new QueryRunner(plan, {
    rows: (rows, number) => out.push(`${number} ${Buffer.from(encodeSaved(rows as Value)).toString("latin1")}`),
    error: ({ message }) => out.push(message),
  });
  const take = ({ now, stream, content }: Event) => {
    for (let due = runner.due(); due !== null && due <= now; due = runner.due()) runner.tick(due, due);
    for (const [at, source] of plan.sources.entries())
      if (content !== null && source.stream === stream) runner.push(readers[at]!({ content, at: now }), now);
  };
  return { runner, out, take, plan };
}

const through = (saved: Saved) => decodeSaved(encodeSaved(saved));

function randomEvents(random: SimRandom): readonly Event[] {
  let now = 1_000_000;
  return Array.from({ length: random.between(20, 60) }, () => {
    now += random.pick([0, 1000, 50_000, 200_000, 700_000, 3_000_000]);
    const content: { [name: string]: unknown } = {};
    for (const name of ["a", "b", "t", "flag"]) {
      const values = [null, true, 0, -0, 2.5, "a", "bax", [1, 2], { x: 3 }];
      if (random.chance(0.85)) content[name] = random.chance(0.8) ? random.between(0, 5) : random.pick(values);
    }
    return { now, stream: random.pick(["demo", "other"]), content: random.chance(0.1) ? null : content };
  });
}

test("save() and restore() at any points give what an undisturbed run gives, with the same numbers, for any rule", () => {
  let outputs = 0;
  let restarts = 0;
  for (let seed = 1; seed <= 1500; seed++) {
    const random = new SimRandom(seed);
    const { sql, mode } = randomRule(random);
    const events = randomEvents(random);
    const straight = begin(sql, mode);
    for (const event of events) straight.take(event);
    let disturbed = begin(sql, mode);
    const out: string[] = [];
    for (const event of events) {
      disturbed.take(event);
      if (!random.chance(0.3)) continue;
      out.push(...disturbed.out);
      const saved = through(disturbed.runner.save());
      // What was saved is of that moment, whatever comes after.
      if (random.chance(0.3)) disturbed.take(event);
      // A gateway that starts again starts its rules anew.
      disturbed = begin(sql, mode, event.now);
      disturbed.runner.restore(saved);
      assert.deepEqual(encodeSaved(disturbed.runner.save()), encodeSaved(saved), `seed ${seed}: ${sql}`);
      restarts++;
    }
    out.push(...disturbed.out);
    assert.deepEqual(out, straight.out, `seed ${seed}, ${mode}: ${sql}`);
    outputs += out.length;
  }
  assert.ok(outputs > 10_000 && restarts > 10_000, `${outputs} outputs, ${restarts} restarts`);
});

/** Rows of a = 1, 2, … a second apart: `before` to the first text, `after` to the second, which takes up its state. */
function changed(from: string, to: string, [before, after]: readonly [number, number], mode: Mode = "strict") {
  const first = begin(from, mode);
  const event = (at: number): Event => ({ now: at * 1_000_000, stream: "demo", content: { a: at, b: at % 2 } });
  for (let at = 1; at <= before; at++) first.take(event(at));
  const second = begin(to, mode);
  second.runner.restore(through(first.runner.save()));
  const rows: unknown[] = [];
  const { plan } = second;
  const listening = new QueryRunner(plan, {
    rows: (found, number) => rows.push([number, ...found.map((row) => ({ ...row }))]),
    error: (error) => rows.push(error.message),
  });
  listening.restore(through(first.runner.save()));
  const readers = plan.sources.map((source) => rowReader(source, { name: source.stream, columns: null }));
  for (let at = before + 1; at <= before + after; at++) {
    const { now, content } = event(at);
    for (let due = listening.due(); due !== null && due <= now; due = listening.due()) listening.tick(due, due);
    listening.push(readers[0]!({ content: content!, at: now }), now);
  }
  return rows;
}

test("restore() into a changed SELECT list keeps analytic memories, windows whose columns were kept, and the numbers", () => {
  const lags = changed("SELECT lag(a) AS x, acc_sum(a) AS s FROM demo", "SELECT b, lag(a) AS before FROM demo", [3, 1]);
  assert.deepEqual(lags, [[4, { b: 0, before: 3 }]]);
  const dropped = changed(
    "SELECT sum(a) AS s, max(b) AS m FROM demo GROUP BY COUNTWINDOW(4)",
    "SELECT sum(a) AS s FROM demo GROUP BY COUNTWINDOW(4)",
    [3, 1],
  );
  assert.deepEqual(dropped, [[1, { s: 10 }]]);
  const added = changed(
    "SELECT sum(a) AS s FROM demo GROUP BY COUNTWINDOW(4)",
    "SELECT sum(a) AS s, max(b) AS m FROM demo GROUP BY COUNTWINDOW(4)",
    [3, 4],
  );
  assert.deepEqual(added, [[1, { s: 4 + 5 + 6 + 7, m: 1 }]]);
  const sums = changed(
    "SELECT sum(a) AS s, avg(a) AS m FROM demo GROUP BY TUMBLINGWINDOW(ss, 10)",
    "SELECT avg(a) AS mean FROM demo GROUP BY TUMBLINGWINDOW(ss, 10)",
    [5, 5],
  );
  assert.deepEqual(sums, [[1, { mean: 5 }]]);
  const more = changed(
    "SELECT avg(a) AS m FROM demo GROUP BY TUMBLINGWINDOW(ss, 10)",
    "SELECT avg(a) AS m, min(a) AS least FROM demo GROUP BY TUMBLINGWINDOW(ss, 10)",
    [5, 5],
  );
  assert.deepEqual(more, [[1, { m: 7.5, least: 6 }]]);
});

test("restore() into a changed WHERE keeps analytic memories and begins the window anew", () => {
  const lag = changed("SELECT lag(a) AS x FROM demo WHERE a > 1", "SELECT lag(a) AS x FROM demo WHERE a > 2", [3, 1]);
  assert.deepEqual(lag, [[3, { x: 3 }]]);
  const window = changed(
    "SELECT sum(a) AS s FROM demo WHERE a > 0 GROUP BY COUNTWINDOW(4)",
    "SELECT sum(a) AS s FROM demo WHERE a > 1 GROUP BY COUNTWINDOW(4)",
    [3, 4],
  );
  assert.deepEqual(window, [[1, { s: 22 }]]);
  const hits = "SELECT a, last_hit_count() AS n FROM demo WHERE ";
  assert.deepEqual(changed(`${hits}a > 0`, `${hits} a > 0`, [3, 1]), [[4, { a: 4, n: 3n }]]);
  assert.deepEqual(changed(`${hits}a > 0`, `${hits}a > 1`, [3, 1]), [[4, { a: 4, n: 0n }]]);
});

test("restore() into another window length begins the window anew, and into the same in other words keeps it", () => {
  const three = "SELECT count(*) AS n, lag(a) AS x FROM demo GROUP BY COUNTWINDOW(3)";
  assert.deepEqual(changed(three, three.replace("(3)", "(2)"), [2, 2]), [[1, { n: 2n, x: 2 }]]);
  assert.deepEqual(changed(three, three.replace("GROUP BY ", "GROUP  BY\n").replace("(3)", "( 3 )"), [2, 1]), [
    [1, { n: 3n, x: null }],
  ]);
});

test("restore() tells an alias with another meaning, and a stream of another name", () => {
  const one = "SELECT a + 1 AS x, lag(x) AS before FROM demo";
  assert.deepEqual(changed(one, one.replace("a + 1", "a + 2"), [2, 1]), [[3, { x: 5, before: null }]]);
  assert.deepEqual(changed(one, one, [2, 1]), [[3, { x: 4, before: 3 }]]);
});

test("rule_start() after restore() is when the rule first began, and of a changed rule when it was changed", () => {
  const start = (to: string) => {
    const first = begin("SELECT rule_start() AS at FROM demo", "strict", 5000);
    const second = begin(to, "strict", 9000);
    second.runner.restore(first.runner.save());
    second.take({ now: 10_000, stream: "demo", content: {} });
    return second.out[0];
  };
  assert.equal(start("SELECT rule_start() AS at FROM demo"), `1 ${encoded([{ at: 5n }])}`);
  assert.equal(start("SELECT rule_start() AS at FROM demo LIMIT 1"), `1 ${encoded([{ at: 9n }])}`);
});

const encoded = (value: Value) => Buffer.from(encodeSaved(value)).toString("latin1");
