import type { Call, Expr } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import { memberOf } from "./compile-access.ts";
import type { CallParts } from "./compile-call.ts";
import type { RowLayout } from "./row-layout.ts";

interface Parts {
  readonly parts: CallParts;
  readonly layout: RowLayout;
}

const ms = (micros: number | undefined) => (micros === undefined ? null : BigInt(Math.floor(micros / 1000)));

/** Functions of the row's surroundings: of its window, its message and its rule. Times are whole milliseconds. */
const simple: Readonly<Record<string, (frame: Frame, parts: CallParts) => ReturnType<Evaluate>>> = {
  window_start: ({ window }) => ms(window?.start),
  window_end: ({ window }) => ms(window?.end),
  window_trigger: ({ window }) => ms(window?.trigger),
  event_time: ({ window, row }) => ms(window?.end ?? row.at),
  last_hit_count: ({ hits }) => BigInt(hits),
  last_hit_time: ({ hitAt }) => ms(hitAt ?? undefined),
  last_agg_hit_count: ({ hits }) => BigInt(hits),
  last_agg_hit_time: ({ hitAt }) => ms(hitAt ?? undefined),
  rule_start: (_frame, { startedAt }) => ms(startedAt),
};

/** @returns null where the call is none of these @throws AppError rules/bad-sql for wrong arguments */
export function compileFrameFunction(call: Call, { parts, layout }: Parts): Evaluate | null {
  const name = call.name.toLowerCase();
  if (name === "meta" || name === "mqtt") return compileMeta(call, { parts, layout });
  const run = Object.hasOwn(simple, name) ? simple[name]! : undefined;
  if (run === undefined) return null;
  if (call.args.length > 0) throw sqlError(parts.sql, call, `${name} takes no argument`);
  return (frame) => run(frame, parts);
}

/** `meta(key)`, `meta(stream.key)`, `meta(key.field)` and `meta(*)` */
function compileMeta(call: Call, { parts, layout }: Parts): Evaluate {
  const [arg] = call.args;
  if (arg === undefined || call.args.length > 1)
    throw sqlError(parts.sql, call, `${call.name} takes the name of one entry`);
  const path = arg.t === "star" ? ["*"] : pathOf(arg, parts.sql);
  const isNamed = path.length > 1 && layout.isSource(path[0]!);
  const source = isNamed ? layout.aliases.indexOf(path[0]!) : 0;
  if (!isNamed && !layout.isOne) {
    throw sqlError(
      parts.sql,
      arg,
      "it may be of several streams",
      `write ${call.name}(${layout.aliases[0]}.${path[0]})`,
    );
  }
  const [entry, ...rest] = isNamed ? path.slice(1) : path;
  const cell = layout.cell(source, { t: "meta", name: entry! });
  return ({ row }) => rest.reduce(memberOf, row.values[cell.place]!);
}

function pathOf(expr: Expr, sql: string): readonly string[] {
  if (expr.t === "name") return expr.source === null ? [expr.name] : [expr.source, expr.name];
  if (expr.t === "member") return [...pathOf(expr.of, sql), expr.name];
  if (expr.t === "literal" && typeof expr.value === "string") return [expr.value];
  throw sqlError(sql, expr, "the name of an entry is missing", "write meta(topic), meta(stream.topic) or meta(*)");
}
