import { type BodyOf, type Contract, type ResponseOf, trialRows } from "@penstock/api";
import {
  AppError,
  type DeviceUid,
  type EffectiveDevice,
  expandRule,
  formatMicros,
  invalid,
  type Micros,
  type NodeSpec,
  parseMicros,
  type SqlRuleSpec,
} from "@penstock/model";
import { type Plan, QueryRunner, rowReader } from "@penstock/rules";
import { hostFunctions } from "@penstock/runtime";
import { findFit } from "./check-rule.ts";
import { catalogOf } from "./check-rule-at.ts";
import { checkRuleSpec } from "./check-rule-spec.ts";
import type { Caller, CheckingContext } from "./context.ts";
import { momentOf } from "./moment-of.ts";
import { planOf } from "./plan-rule.ts";
import { specOf } from "./resource-rows.ts";
import { tenantOf } from "./tenant-check.ts";
import { trialAnswers } from "./trial-answers.ts";
import { jsonRow, type TrialRow } from "./trial-row.ts";

type Route = Contract["ruleTrials"]["routes"]["run"];
type Trial = ResponseOf<Route>;
type Step = Trial["steps"][number];
/** windows that close after the last row, one after the other */
const closedMost = 100;
/** a trial shares its thread with everything else */
const longestMicros = 2_000_000;

/** Rules tried on rows: nothing is stored, and no gateway hears of it. */
export function createRuleTrials(context: CheckingContext) {
  const { db, clock, random, series } = context;

  /** What is stored of the columns that the query names: readings of one moment are one row. */
  async function recorded(
    tenant: string,
    of: { readonly plan: Plan; readonly devices: readonly EffectiveDevice[] },
    span: { readonly from: Micros; readonly to: Micros },
  ): Promise<{ rows: TrialRow[]; truncated: boolean }> {
    const rows = new Map<string, TrialRow>();
    let truncated = false;
    for (const { stream, columns } of of.plan.sources) {
      const device = of.devices.find((one) => one.name === stream);
      if (device === undefined) continue;
      const isAll = columns.some((column) => column.t === "all");
      const named = columns.flatMap((column) => (column.t === "column" ? [column.name] : []));
      for (const { name, type } of device.properties) {
        if (!isAll && !named.includes(name)) continue;
        const at = { tenant: tenant as never, device: device.uid as DeviceUid, property: name, type };
        const found = await series.query({ ...at, ...span, points: trialRows, aggregate: "raw" });
        truncated ||= found.truncated;
        for (const { time, value } of found.points) {
          const key = `${stream} ${time}`;
          const row = rows.get(key) ?? { stream, time, values: {} };
          rows.set(key, row);
          row.values[name] = typeof value === "object" && value !== null && "json" in value ? value.json : value;
        }
      }
    }
    const sorted = [...rows.values()].sort((a, b) => a.time - b.time);
    return { rows: sorted.slice(0, trialRows), truncated: truncated || sorted.length > trialRows };
  }

  function typedIn(given: NonNullable<BodyOf<Route>["rows"]>, first: string): TrialRow[] {
    let last = clock.now() as number;
    return given.map(({ stream = first, time, values }, i) => {
      const at = time === undefined ? last + (i === 0 ? 0 : 1_000_000) : parseMicros(time);
      if (at === null || at < last - (i === 0 ? Number.POSITIVE_INFINITY : 0)) {
        const rule = "must be RFC 3339, and not before the row before it";
        throw invalid([{ field: `rows[${i}].time`, value: `"${time}"`, rule }]);
      }
      last = at;
      return { stream, time: at as Micros, values };
    });
  }

  return {
    /** @throws AppError input/invalid as storing the rule would */
    async run(caller: Caller, tenantName: string, body: BodyOf<Route>): Promise<Trial> {
      const tenant = await tenantOf(db, caller, tenantName);
      const fields = checkRuleSpec(body.spec);
      if (fields.length > 0) throw invalid(fields);
      const spec = expandRule(body.spec);
      const fit = await findFit({ db, tenant, name: "trial", spec });
      if (fit === null) {
        throw invalid([
          { field: "spec.nodes", value: "no gateway", rule: "must be at least one gateway that there is" },
        ]);
      }
      const { node, devices } = fit;
      const timeZone = specOf<NodeSpec>(node).timeZone ?? "UTC";
      const host = hostFunctions(random);
      const now = clock.now();
      const plan = planOf(spec, { devices, timeZone, host, now });
      const isTyped = body.rows !== undefined;
      const first = plan.sources[0]!.stream;
      const { rows, truncated } = isTyped
        ? { rows: typedIn(body.rows!, first), truncated: false }
        : await recorded(tenant, { plan, devices }, spanOf(body.recorded, now));
      const steps = stepsOf(plan, { spec, devices, rows, isTyped, isLate: () => clock.monotonic() });
      return { node: node.name, rowsIn: rows.length, truncated, steps };
    },
  };
}

function spanOf(given: BodyOf<Route>["recorded"], now: Micros): { from: Micros; to: Micros } {
  const from = momentOf(given?.from ?? "-1h", { now, field: "recorded.from" });
  const to = momentOf(given?.to ?? "now", { now, field: "recorded.to" });
  if (from < to) return { from, to };
  throw invalid([
    { field: "recorded.from", value: formatMicros(from), rule: `must be before to, ${formatMicros(to)}` },
  ]);
}

/** Each row, then time until open windows have closed. Rows count when they were read. */
function stepsOf(
  plan: Plan,
  of: {
    readonly spec: SqlRuleSpec;
    readonly devices: readonly EffectiveDevice[];
    readonly rows: readonly TrialRow[];
    /** else they were recorded */
    readonly isTyped: boolean;
    readonly isLate: () => number;
  },
): Step[] {
  const steps: Step[] = [];
  let step: Step;
  const begin = (time: number, stream: string | null, row: TrialRow["values"] | null) => {
    const shown = row === null ? null : jsonRow(row);
    step = {
      time: formatMicros(time as Micros),
      stream,
      row: shown,
      passed: null,
      outputs: [],
      errors: [],
      closesAt: null,
    };
    steps.push(step);
  };
  const runner = new QueryRunner(plan, {
    rows: (rows, number) => void step.outputs.push({ number, rows: rows.map(jsonRow) }),
    error: ({ message }) => void step.errors.push(message),
  });
  const catalog = catalogOf(of.spec, of.devices);
  const readers = plan.sources.map((source) => ({
    stream: source.stream,
    read: rowReader(source, catalog(source.stream)!),
  }));
  const answer = trialAnswers({ runner, rows: of.rows, isGiven: of.isTyped });
  const isAsked = (stream: string) => catalog(stream)?.table?.t === "lookup";
  const closing = () => {
    const due = runner.due();
    return due === null ? null : formatMicros(due as Micros);
  };
  const tickUntil = (until: number, most: number) => {
    for (let due = runner.due(); due !== null && due <= until && most > 0; due = runner.due(), most--) {
      begin(due, null, null);
      runner.tick(due, due);
      answer(due);
      step.closesAt = closing();
      if (runner.due() === due) return;
    }
  };
  const began = of.isLate();
  for (const { stream, time, values } of of.rows) {
    if (of.isLate() - began > longestMicros) {
      throw new AppError(
        "input/too-large",
        `Cannot try the rule: it took more than ${longestMicros / 1e6} s for ${steps.length} rows`,
      );
    }
    tickUntil(time, closedMost);
    begin(time, stream, values);
    const hits = runner.hits;
    for (const { read } of readers.filter((one) => one.stream === stream && !isAsked(stream))) {
      runner.push(read({ content: values, at: time }), time);
    }
    answer(time);
    step!.passed = plan.joins.length > 0 ? null : runner.hits > hits;
    step!.closesAt = closing();
  }
  tickUntil(Number.POSITIVE_INFINITY, closedMost);
  return steps;
}
