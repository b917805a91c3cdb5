import assert from "node:assert/strict";
import { testHost } from "../src/functions/test-host.ts";
import type { Mode } from "../src/parse/ast.ts";
import { parse } from "../src/parse/parse.ts";
import { planQuery } from "../src/plan/plan-query.ts";
import { schemaOf } from "../src/plan/schema-of.ts";
import type { StreamSchema } from "../src/plan/stream-schema.ts";
import type { Wanted } from "../src/run/lookup.ts";
import { QueryRunner } from "../src/run/query-runner.ts";
import { rowReader } from "../src/run/read-row.ts";
import { type SourceRow, Watermark } from "../src/run/watermark.ts";
import type { ObjectValue, Value } from "../src/value/value.ts";
import type { QueryCase } from "./query-case.ts";

function schemaIn(streams: readonly string[], name: string): StreamSchema {
  for (const sql of streams) {
    const made = parse(sql, "compat");
    assert.ok(made.t === "create");
    if (made.name === name) return schemaOf(sql, made);
  }
  return { name, columns: null };
}

/** Each output of a case: rows as they are seen outside, or why there are none. */
export function playCase(one: QueryCase, mode: Mode): (readonly object[] | string)[] {
  const schema = (name: string) => schemaIn(one.streams ?? [], name);
  const plan = planQuery({
    ...{ sql: one.sql, mode, ruleId: "rule", timeZone: "UTC", host: testHost, offsetAt: () => 0, startedAt: 5000 },
    ...{ catalog: schema, omitNull: one.omitNull ?? false },
  });
  const readers = plan.sources.map((source) => rowReader(source, schema(source.stream)));
  const out: (readonly object[] | string)[] = [];
  const output = {
    rows: (rows: readonly ObjectValue[]) => void out.push(rows.map((row) => shownRow(row))),
    error: ({ message }: Error) => void out.push(message),
  };
  const runner = new QueryRunner(plan, output);
  const answered = () => {
    for (let wanted = knownOf(one, runner); wanted.length > 0; wanted = knownOf(one, runner))
      runner.answer(
        wanted.map((of) => ({ ...of, rows: rowsFor(one, of) })),
        now,
      );
  };
  const clock = one.eventTime === undefined ? null : new EventClock(runner, plan.sources.length, one.eventTime);
  let now = 0;
  for (const [ms, content, stream] of one.in) {
    now = ms * 1000;
    if (clock === null) runner.tick(now, now);
    for (const [source, { stream: name }] of plan.sources.entries()) {
      if (stream !== undefined && name !== stream) continue;
      const at = clock === null ? now : (content as { readonly ts: number }).ts * 1000;
      const meta = (one.meta ?? {}) as ObjectValue;
      const row = readers[source]!({ content: content as Record<string, unknown>, at, meta });
      if (clock === null) runner.push(row, now);
      else clock.push({ source, row }, now);
      answered();
    }
  }
  now = Math.max(now, (one.until ?? 0) * 1000);
  if (clock === null) runner.tick(now, now);
  else clock.tick(now);
  answered();
  return out;
}

/** Brings rows into the order of their own times, as whoever runs rules does it. */
class EventClock {
  readonly #runner: QueryRunner;
  readonly #watermark: Watermark;

  constructor(runner: QueryRunner, sources: number, { lateMs = 0, idleMs }: NonNullable<QueryCase["eventTime"]>) {
    this.#runner = runner;
    const idleAfterMicros = idleMs === undefined ? null : idleMs * 1000;
    this.#watermark = new Watermark({ sources, toleranceMicros: lateMs * 1000, idleAfterMicros, most: 100 }, 0);
  }

  push(one: SourceRow, now: number): void {
    this.#goOn(this.#watermark.tick(now), now);
    this.#goOn(this.#watermark.push(one, now), now);
  }

  tick(now: number): void {
    this.#goOn(this.#watermark.tick(now), now);
  }

  #goOn(rows: readonly SourceRow[], now: number): void {
    for (const { row } of rows) this.#runner.push(row, now);
    if (this.#watermark.mark > 0) this.#runner.tick(this.#watermark.mark, now);
  }
}

/** What of the questions somebody answers. */
function knownOf({ lookups = {} }: QueryCase, runner: QueryRunner): readonly Wanted[] {
  return runner.wanted.filter(({ table }) => lookups[table] !== undefined);
}

function rowsFor({ lookups = {} }: QueryCase, { table, keys }: Wanted): readonly ObjectValue[] {
  const isMeant = (row: { readonly [column: string]: unknown }) =>
    Object.entries(keys).every(([name, value]) => shown(value) === row[name]);
  return (lookups[table] ?? []).filter(isMeant) as readonly ObjectValue[];
}

function shown(value: Value): unknown {
  // 3.0 and 3 are one number, unless it is beyond what a float holds.
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return "micros" in value ? value : shownRow(value as ObjectValue);
}

function shownRow(row: ObjectValue): object {
  return Object.fromEntries(Object.entries(row).map(([name, of]) => [name, shown(of)]));
}
