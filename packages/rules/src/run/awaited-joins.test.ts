import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { testHost } from "../functions/test-host.ts";
import type { Mode } from "../parse/ast.ts";
import { planQuery } from "../plan/plan-query.ts";
import type { StreamSchema, TableSchema } from "../plan/stream-schema.ts";
import type { Saved } from "../value/saved.ts";
import { decodeSaved, encodeSaved } from "../value/saved-codec.ts";
import type { ObjectValue } from "../value/value.ts";
import type { WaitingBounds } from "./awaited-joins.ts";
import type { Answer } from "./lookup.ts";
import { QueryRunner } from "./query-runner.ts";
import { rowReader } from "./read-row.ts";

const second = 1_000_000;
const asked = (keepMicros: number | null, most = 100): TableSchema => ({ t: "lookup", keepMicros, most });
const inner = "SELECT a, b FROM s INNER JOIN t ON s.id = t.id";
const left = inner.replace("INNER", "LEFT");

const columnsOf: Readonly<Record<string, readonly string[]>> = {
  ...{ s: ["id", "a"], t: ["id", "b"], u: ["b", "c"], k: ["id", "d"] },
};

interface Options {
  readonly tables?: Readonly<Record<string, TableSchema>>;
  readonly mode?: Mode;
  readonly waiting?: WaitingBounds;
}

/** A rule over stream s (id, a) and lookup tables t (id, b), u (b, c), whose answers a test gives. */
function begin(sql: string, { tables = { t: asked(null) }, mode = "strict", waiting }: Options = {}) {
  const schema = (name: string): StreamSchema => {
    const table = tables[name];
    const columns = new Map(columnsOf[name]!.map((column) => [column, { t: "float" } as const]));
    return { name, columns, ...(table !== undefined && { table }) };
  };
  const plan = planQuery({
    ...{ sql, mode, ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 0 },
    catalog: schema,
  });
  const out: unknown[] = [];
  const numbers: number[] = [];
  const output = {
    rows: (rows: readonly ObjectValue[], number: number) => {
      numbers.push(number);
      out.push(rows.map((row) => ({ ...row })));
    },
    error: ({ message }: Error) => void out.push(message),
  };
  const runner = new QueryRunner(plan, output, undefined, waiting);
  const push = (stream: string, content: { readonly [name: string]: unknown }, at: number) => {
    for (const source of plan.sources.filter((one) => one.stream === stream))
      runner.push(rowReader(source, schema(stream))({ content, at }), at);
  };
  const answer = (table: string, id: number | null, of: readonly ObjectValue[] | string, at = 0) => {
    const found = typeof of === "string" ? { failure: of } : { rows: of };
    const wanted = runner.wanted.find(
      (one) => one.table === table && (id === null || Object.values(one.keys)[0] === id),
    );
    assert.ok(wanted, `nobody asks ${table} for ${id}`);
    runner.answer([{ table, key: wanted.key, ...found } as Answer], at);
  };
  return {
    ...{ runner, plan, out, numbers, push, answer },
    row: (id: unknown, a: unknown = id, at = 0) => push("s", { id, a }, at),
    asks: () => runner.wanted.map(({ table, keys }) => [table, ...Object.values(keys)]),
    saved: () => decodeSaved(encodeSaved(runner.save())),
  };
}

test("a row waits for its answer, is asked for once, and others come after it", () => {
  const { row, asks, answer, out, plan, runner } = begin(left);
  assert.equal(plan.hasState, true);
  for (const id of [1, 2, 1, null]) row(id);
  assert.deepEqual(asks(), [
    ["t", 1],
    ["t", 2],
  ]);
  assert.deepEqual([runner.newlyWanted().length, runner.newlyWanted().length], [2, 0], "each is told of once");
  answer("t", 2, [{ id: 2, b: 20 }]);
  assert.deepEqual(out, [], "the row before it has no answer yet");
  answer("t", 1, [{ b: 10 }, { b: 11 }]);
  const first = [
    { a: 1, b: 10 },
    { a: 1, b: 11 },
  ];
  assert.deepEqual(out, [first, [{ a: 2, b: 20 }], first, [{ a: null, b: null }]]);
  row(2);
  assert.deepEqual(out.at(-1), [{ a: 2, b: 20 }], "what is known is not asked again");
  assert.deepEqual(asks(), []);
});

test("an answer of no rows is no partner; none at all is an error, and a partner neither; in compat the row is lost", () => {
  const { row, answer, out, asks } = begin(left);
  row(1);
  answer("t", 1, []);
  row(2);
  answer("t", 2, "no answer in 5 s");
  const failed = 'Cannot look up in "t": no answer in 5 s';
  assert.deepEqual(out, [[{ a: 1, b: null }], failed, [{ a: 2, b: null }]]);
  row(2);
  assert.deepEqual(asks(), [["t", 2]], "what failed is asked again");
  const compat = begin(left, { mode: "compat" });
  compat.row(1);
  compat.answer("t", 1, "away");
  assert.deepEqual(compat.out, ['Cannot look up {"id":1} in "t": away']);
});

// An answer that ends before its window would have ended the window with it.
test("a window closes at its time with its rows, and waits for what it asks however short answers are true", () => {
  const sql = `SELECT count(*) AS n, sum(b) AS s, window_end() AS e FROM s LEFT JOIN t ON s.id = t.id GROUP BY TUMBLINGWINDOW(ss, 1)`;
  const { runner, row, answer, out, asks } = begin(sql, { tables: { t: asked(10) } });
  row(1, 1, 100);
  row(2, 2, 200);
  assert.deepEqual(asks(), [], "it is asked when the window closes");
  runner.tick(second, second);
  row(1, 1, second + 1);
  runner.tick(2 * second, 2 * second);
  assert.equal(asks().length, 2, "one question for both windows");
  answer("t", 1, [{ b: 10 }], 3 * second);
  answer("t", 2, [{ b: 20 }], 9 * second);
  const found = out as readonly [{ n: bigint; s: number }][];
  assert.deepEqual(
    found.map(([{ n, s }]) => [Number(n), s]),
    [
      [2, 30],
      [1, 10],
    ],
  );
  row(1, 1, 9 * second + 500_000);
  runner.tick(10 * second, 10 * second);
  assert.deepEqual(asks(), [["t", 1]], "the answer is not true any more");
});

test("what one table answers is what the next is asked by, each row as far as it can be", () => {
  const sql = "SELECT a, c FROM s INNER JOIN t ON s.id = t.id LEFT JOIN u ON t.b = u.b";
  const { row, asks, answer, out } = begin(sql, { tables: { t: asked(null), u: asked(null) } });
  row(1);
  row(2);
  answer("t", 2, [{ b: 5 }]);
  assert.deepEqual(asks(), [
    ["t", 1],
    ["u", 5],
  ]);
  answer("t", 1, [{ b: 6 }]);
  answer("u", 5, [{ c: 50 }]);
  assert.deepEqual(out, []);
  answer("u", 6, [{ c: 60 }]);
  assert.deepEqual(out, [[{ a: 1, c: 60 }], [{ a: 2, c: 50 }]]);
});

test("a table that is kept beside is for each row what it was when the row came", () => {
  const sql = "SELECT a, b, d FROM s INNER JOIN t ON s.id = t.id LEFT JOIN k ON s.id = k.id";
  const { push, row, answer, out } = begin(sql, {
    tables: { t: asked(null), k: { t: "scan", rows: null, key: "id" } },
  });
  push("k", { id: 1, d: "old" }, 0);
  row(1);
  push("k", { id: 1, d: "new" }, 0);
  row(1);
  answer("t", 1, [{ b: 5 }]);
  assert.deepEqual(out, [[{ a: 1, b: 5, d: "old" }], [{ a: 1, b: 5, d: "new" }]]);
});

test("more than may wait: the oldest goes and is counted, and answers that nobody waits for any more harm nobody", () => {
  const waiting = { rows: 3, chars: 1000, questions: 2 };
  const { row, answer, out, runner } = begin(inner, { waiting });
  for (const id of [1, 2, 3, 4, 5]) row(id);
  assert.equal(runner.dropped, 2);
  for (const id of [1, 2, 3, 4, 5]) answer("t", id, [{ b: id }]);
  assert.deepEqual(
    out,
    [3, 4, 5].map((id) => [{ a: id, b: id }]),
  );
  const long = begin(inner, { waiting });
  for (const id of [1, 2]) long.row(id, "x".repeat(400));
  long.answer("t", 2, [{ b: "y".repeat(400) }]);
  assert.equal(long.runner.dropped, 1, "answers that wait count too");
  const window = begin("SELECT count(*) AS n FROM s INNER JOIN t ON s.id = t.id GROUP BY COUNTWINDOW(3)", { waiting });
  for (const id of [1, 2, 3]) window.row(id);
  assert.deepEqual(window.out, ["Cannot join: a window asks for more than 2 answers"]);
});

test("answers are kept as long as they are true, and no more of them than may be", () => {
  const { row, asks, answer } = begin(inner, { tables: { t: asked(second, 2) } });
  row(1, 1, 0);
  answer("t", 1, [], 10);
  row(1, 1, second + 9);
  assert.deepEqual(asks(), []);
  row(1, 1, second + 10);
  assert.deepEqual(asks(), [["t", 1]]);
  for (const id of [1, 2, 3]) {
    if (id > 1) row(id, id, second + 20);
    answer("t", id, [], second + 20);
  }
  for (const id of [1, 2, 3]) row(id, id, second + 30);
  assert.deepEqual(asks(), [["t", 1]], "the oldest went");
  const none = begin(inner, { tables: { t: asked(0) } });
  none.row(1);
  none.answer("t", 1, []);
  none.row(1);
  assert.deepEqual(none.asks(), [["t", 1]]);
});

type Step = { readonly do: "row" | "answer" | "fail" | "tick" | "kill"; readonly id: number };
const queries = [
  left,
  "SELECT a, c FROM s INNER JOIN t ON s.id = t.id LEFT JOIN u ON t.b = u.b",
  "SELECT collect(t.b) AS l, count(*) AS n FROM s LEFT JOIN t ON s.id = t.id GROUP BY COUNTWINDOW(3, 2)",
  "SELECT s.id AS i, sum(b) AS s FROM s INNER JOIN t ON s.id = t.id GROUP BY s.id, SLIDINGWINDOW(ms, 5)",
];
const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("row", "row", "row", "answer", "answer", "fail", "tick", "kill"),
  id: fc.integer({ min: 0, max: 4 }),
});

type Input = { readonly now: number } & (
  | { readonly t: "row"; readonly id: number }
  | { readonly t: "tick" | "kill" }
  | { readonly t: "answer"; readonly answer: Answer }
);
const tables = { t: asked(20_000), u: asked(null, 2) };

/** What comes of steps: somebody answers what is asked by then, and in the end everything. */
function inputsOf(sql: string, steps: readonly Step[]): readonly Input[] {
  const rule = begin(sql, { tables });
  const inputs: Input[] = [];
  const answer = (at: number, hasFailed: boolean, now: number): Input | null => {
    const wanted = rule.runner.wanted[at];
    if (wanted === undefined) return null;
    const { table, key, keys } = wanted;
    const [value] = Object.values(keys) as number[];
    const rows = table === "t" ? [{ b: value! * 2 }, { b: now % 3 }] : [{ c: value! + now }];
    return { t: "answer", now, answer: { table, key, ...(hasFailed ? { failure: "away" } : { rows }) } };
  };
  let now = 0;
  const next = (make: (now: number) => Input | null) => {
    now += 1000;
    const input = make(now);
    if (input === null) return;
    inputs.push(input);
    give(rule, input);
  };
  for (const { do: what, id } of steps) {
    next((at) => {
      if (what === "row") return { t: what, now: at, id };
      return what === "tick" || what === "kill" ? { t: what, now: at } : answer(id, what === "fail", at);
    });
  }
  while (rule.runner.wanted.length > 0) next((at) => answer(0, false, at));
  return inputs;
}

function give({ row, runner }: ReturnType<typeof begin>, input: Input): void {
  const { now } = input;
  if (input.t === "row") row(input.id, input.id, now);
  if (input.t === "tick") runner.tick(now, now);
  if (input.t === "answer") runner.answer([input.answer], now);
}

/** @param kills  whether "kill" saves, and goes on with what was saved */
function play(sql: string, inputs: readonly Input[], kills: boolean) {
  let rule = begin(sql, { tables });
  const out: unknown[] = [];
  const numbers: number[] = [];
  for (const input of inputs) {
    give(rule, input);
    out.push(...rule.out.splice(0));
    numbers.push(...rule.numbers.splice(0));
    if (input.t !== "kill" || !kills) continue;
    const saved: Saved = rule.saved();
    rule = begin(sql, { tables });
    rule.runner.restore(saved);
  }
  assert.deepEqual(rule.asks(), [], "nothing waits for ever");
  return { out, numbers };
}

test("whatever comes in which order, and whenever it is killed, the same inputs give the same results", () => {
  fc.assert(
    fc.property(fc.constantFrom(...queries), fc.array(step, { minLength: 30, maxLength: 80 }), (sql, steps) => {
      const inputs = inputsOf(sql, steps);
      const undisturbed = play(sql, inputs, false);
      assert.deepEqual(play(sql, inputs, true), undisturbed);
      assert.deepEqual(
        undisturbed.numbers,
        undisturbed.numbers.map((_, at) => at + 1),
      );
    }),
    { numRuns: 150, seed: 5 },
  );
});

test("rows that wait are taken up by another query that wants no more of them", () => {
  const first = begin("SELECT a, b FROM s INNER JOIN t ON s.id = t.id");
  first.row(1, 7);
  const second = begin("SELECT b, a FROM s LEFT JOIN t ON s.id = t.id WHERE a > 5");
  second.runner.restore(first.saved());
  assert.deepEqual(second.asks(), [["t", 1]]);
  second.answer("t", 1, []);
  assert.deepEqual(second.out, [[{ b: null, a: 7 }]]);
});
