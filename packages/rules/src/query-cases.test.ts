import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { basics } from "../testcases/basics.ts";
import { joinTable } from "../testcases/join-table.ts";
import { joins } from "../testcases/joins.ts";
import { moreWindows } from "../testcases/more-windows.ts";
import type { QueryCase } from "../testcases/query-case.ts";
import { refused } from "../testcases/refused.ts";
import { windows } from "../testcases/windows.ts";
import { testHost } from "./functions/test-host.ts";
import type { Mode } from "./parse/ast.ts";
import { parse } from "./parse/parse.ts";
import { type Plan, planQuery } from "./plan/plan-query.ts";
import type { StreamSchema } from "./plan/stream-schema.ts";
import { QueryRunner } from "./run/query-runner.ts";
import { rowReader } from "./run/read-row.ts";
import type { ObjectValue, Value } from "./value/value.ts";

function schemaOf(streams: readonly string[], name: string): StreamSchema {
  for (const sql of streams) {
    const made = parse(sql, "compat");
    assert.ok(made.t === "create");
    if (made.name === name)
      return { name, columns: made.columns && new Map(made.columns.map((one) => [one.name, one.type])) };
  }
  return { name, columns: null };
}

function play(one: QueryCase, mode: Mode): (readonly object[] | string)[] {
  const schema = (name: string) => schemaOf(one.streams ?? [], name);
  const plan: Plan = planQuery({
    ...{ sql: one.sql, mode, ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 0 },
    catalog: schema,
  });
  const readers = plan.sources.map((source) => rowReader(source, schema(source.stream)));
  const out: (readonly object[] | string)[] = [];
  const runner = new QueryRunner(plan, {
    rows: (rows) => out.push(rows.map((row) => shownRow(row))),
    error: ({ message }) => out.push(message),
  });
  let now = 0;
  for (const [ms, content, stream] of one.in) {
    now = ms * 1000;
    runner.tick(now, now);
    for (const [at, source] of plan.sources.entries()) {
      if (stream !== undefined && source.stream !== stream) continue;
      runner.push(
        readers[at]!({ content: content as Record<string, unknown>, at: now, meta: (one.meta ?? {}) as ObjectValue }),
        now,
      );
    }
  }
  now = Math.max(now, (one.until ?? 0) * 1000);
  runner.tick(now, now);
  return out;
}

/** As it is seen outside: 3.0 and 3 are one number, unless it is beyond what a float holds. */
function shownRow(row: ObjectValue): object {
  const shown = (value: Value): unknown => {
    if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    if (Array.isArray(value)) return value.map(shown);
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    return "micros" in value ? value : Object.fromEntries(Object.entries(value).map(([name, of]) => [name, shown(of)]));
  };
  return shown(row) as object;
}

for (const [topic, cases] of Object.entries({ basics, joins, joinTable, moreWindows, refused, windows })) {
  for (const one of cases) {
    for (const mode of one.mode === undefined ? (["compat", "strict"] as const) : [one.mode]) {
      test(`${topic}: ${one.name} (${mode})`, () => {
        if (one.refused !== undefined) {
          assert.throws(() => play(one, mode), { code: "rules/bad-sql", message: one.refused });
          return;
        }
        const out = play(one, mode);
        assert.equal(out.length, one.out.length, inspect(out));
        for (const [at, wanted] of one.out.entries()) {
          if (wanted instanceof RegExp) assert.match(String(out[at]), wanted);
          else assert.deepEqual(out[at], wanted);
        }
      });
    }
  }
}
