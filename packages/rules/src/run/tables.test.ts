import assert from "node:assert/strict";
import { test } from "node:test";
import { testHost } from "../functions/test-host.ts";
import { parse } from "../parse/parse.ts";
import { planQuery } from "../plan/plan-query.ts";
import { schemaOf } from "../plan/schema-of.ts";
import { decodeSaved, encodeSaved } from "../value/saved-codec.ts";
import type { ObjectValue } from "../value/value.ts";
import { QueryRunner } from "./query-runner.ts";
import { rowReader } from "./read-row.ts";

function begin(sql: string, streams: readonly string[]) {
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
  const runner = new QueryRunner(plan, {
    rows: (rows: readonly ObjectValue[]) => void out.push(...rows.map((row) => ({ ...row }))),
    error: ({ message }) => void out.push(message),
  });
  const rowOf = (stream: string, content: { readonly [name: string]: unknown }) => {
    const source = plan.sources.find((one) => one.stream === stream)!;
    return rowReader(source, schemas.get(stream)!)({ content, at: 1 });
  };
  return {
    runner,
    plan,
    out,
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
