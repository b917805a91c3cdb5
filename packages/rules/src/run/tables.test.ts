import assert from "node:assert/strict";
import { test } from "node:test";
import { testHost } from "../functions/test-host.ts";
import { parse } from "../parse/parse.ts";
import { planQuery } from "../plan/plan-query.ts";
import { schemaOf } from "../plan/schema-of.ts";
import { decodeSaved, encodeSaved } from "../value/saved-codec.ts";
import type { ObjectValue } from "../value/value.ts";
import type { Lookup } from "./lookup.ts";
import { LookupCache } from "./lookup-cache.ts";
import { QueryRunner } from "./query-runner.ts";
import { rowReader } from "./read-row.ts";

function begin(sql: string, streams: readonly string[], lookup: Lookup | null = null) {
  const schemas = new Map(
    streams.map((text) => {
      const made = parse(text, "strict");
      assert.ok(made.t === "create");
      return [made.name, schemaOf(text, made)] as const;
    }),
  );
  const plan = planQuery({
    ...{ sql, mode: "strict", ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 0 },
    catalog: (name) => schemas.get(name) ?? null,
  });
  const out: unknown[] = [];
  const runner = new QueryRunner(
    plan,
    {
      rows: (rows: readonly ObjectValue[]) => void out.push(...rows.map((row) => ({ ...row }))),
      error: ({ message }) => void out.push(message),
    },
    lookup,
  );
  const rowOf = (stream: string, content: { readonly [name: string]: unknown }) => {
    const source = plan.sources.find((one) => one.stream === stream)!;
    return rowReader(source, schemas.get(stream)!)({ content, at: 1 });
  };
  return {
    runner,
    plan,
    out,
    rowOf,
    push: (stream: string, content: object) => runner.push(rowOf(stream, { ...content }), 1),
  };
}

const demo = "CREATE STREAM demo (id BIGINT, a BIGINT) WITH ()";
const scan = (options: string) => `CREATE TABLE t (id BIGINT, b BIGINT) WITH (${options})`;
const inner = "SELECT a, b FROM demo INNER JOIN t ON demo.id = t.id";

test("QueryRunner.save() has what kept tables hold, and restore() takes it up", () => {
  const streams = [demo, scan("KEY='id'")];
  const first = begin(inner, streams);
  assert.equal(first.plan.hasState, true);
  for (const [id, b] of [
    [1, 5],
    [2, 6],
    [1, 7],
  ])
    first.push("t", { id, b });
  const saved = decodeSaved(encodeSaved(first.runner.save()));
  const second = begin(inner, streams);
  second.runner.restore(saved);
  assert.deepEqual(encodeSaved(second.runner.save()), encodeSaved(saved));
  second.push("demo", { id: 1, a: 10 });
  assert.deepEqual(second.out, [{ a: 10n, b: 7n }]);
  // Another select list over the same tables finds them too.
  const third = begin(inner.replace("a, b", "b + 1 AS more"), streams);
  third.runner.restore(saved);
  third.push("demo", { id: 2 });
  assert.deepEqual(third.out, [{ more: 7n }]);
});

test("QueryRunner.restore() begins a table anew that keeps other rows, or has another name", () => {
  const first = begin(inner, [demo, scan("RETAIN_SIZE='9'")]);
  first.push("t", { id: 1, b: 5 });
  const saved = first.runner.save();
  for (const options of ["KEY='id'", "RETAIN_SIZE='8'"]) {
    const other = begin(inner, [demo, scan(options)]);
    other.runner.restore(saved);
    other.push("demo", { id: 1, a: 10 });
    assert.deepEqual(other.out, []);
  }
});

test("QueryRunner.wants() asks for one answer after the other, and rows find them", () => {
  const streams = [
    demo,
    "CREATE TABLE t (id BIGINT, b BIGINT) WITH (TYPE='sql', KIND='lookup')",
    "CREATE TABLE u (b BIGINT, c BIGINT) WITH (TYPE='redis', KIND='lookup')",
  ];
  const sql = "SELECT c FROM demo INNER JOIN t ON demo.id = t.id LEFT JOIN u ON t.b = u.b";
  const cache = new LookupCache({ most: 10, keepMicros: null, now: () => 0 });
  const { runner, rowOf, out, plan } = begin(sql, streams, cache);
  assert.equal(plan.hasState, false);
  const row = rowOf("demo", { id: 1, a: 10 });
  const asked: unknown[] = [];
  for (let wanted = runner.wants(row); wanted !== null; wanted = runner.wants(row)) {
    asked.push([wanted.table, wanted.keys]);
    cache.fill(wanted, wanted.table === "t" ? [{ b: 5 }] : [{ c: 50 }]);
  }
  assert.deepEqual(asked, [
    ["t", { id: 1n }],
    ["u", { b: 5n }],
  ]);
  assert.equal(runner.wants(rowOf("demo", { a: 1 })), null, "null asks for nothing");
  runner.push(row, 1);
  assert.deepEqual(out, [{ c: 50n }]);
});

test("LookupCache tells nothing known from an answer of no rows, forgets in time, and holds no more than it may", () => {
  let now = 0;
  const cache = new LookupCache({ most: 2, keepMicros: 1000, now: () => now });
  const of = (id: bigint) => ({ table: "t", keys: { id } });
  assert.equal(cache.find(of(1n)), null);
  cache.fill(of(1n), []);
  assert.deepEqual(cache.find(of(1n)), []);
  assert.deepEqual(cache.find({ table: "t", keys: { id: 1 } }), [], "an integer and a float of one value");
  assert.equal(cache.find({ table: "u", keys: { id: 1n } }), null);
  now = 999;
  assert.deepEqual(cache.find(of(1n)), []);
  now = 1000;
  assert.equal(cache.find(of(1n)), null);
  for (const id of [1n, 2n, 3n]) cache.fill(of(id), [{ id }]);
  assert.deepEqual(
    [1n, 2n, 3n].map((id) => cache.find(of(id)) === null),
    [true, false, false],
  );
});
