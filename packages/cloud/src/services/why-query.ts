import type { DeviceUid, EffectiveDevice, Micros, Reading, SqlRuleSpec } from "@penstock/model";
import { type Plan, parseQuery, QueryRunner, rowReader, type Select } from "@penstock/rules";
import { hostFunctions } from "@penstock/runtime";
import { catalogOf } from "./check-rule-at.ts";
import type { ServiceContext } from "./context.ts";
import { planOf } from "./plan-rule.ts";
import type { WhyFacts } from "./why-sentence.ts";

/** values that a sentence names */
const valuesNamed = 5;

/** What a query reads and waits for, and what it makes of the last values. */
export interface QueryFacts extends Pick<WhyFacts, "where" | "having" | "trial" | "window"> {
  /** `columns`: those that it names; null where it names none, and reads all */
  readonly reads: readonly { readonly stream: string; readonly columns: readonly string[] | null }[];
}

/** @returns null when it cannot be planned for these devices: then its gateway says why */
export async function queryFacts(
  spec: SqlRuleSpec,
  at: Pick<ServiceContext, "random"> & {
    readonly devices: readonly EffectiveDevice[];
    readonly timeZone: string;
    readonly now: Micros;
    valuesOf(device: DeviceUid, properties: readonly string[]): Promise<ReadonlyMap<string, Reading>>;
  },
): Promise<QueryFacts | null> {
  const { devices, timeZone, now } = at;
  const { sql, mode = "strict" } = spec;
  let plan: Plan;
  let query: Select;
  try {
    query = parseQuery(sql, mode);
    plan = planOf(spec, { devices, timeZone, host: hostFunctions(at.random), now });
  } catch {
    return null;
  }
  const textOf = ({ start, end }: { readonly start: number; readonly end: number }) =>
    sql.slice(start, end).replaceAll(/\s+/g, " ").trim();
  const reads = plan.sources.map(({ stream, columns }) => {
    const named = columns.flatMap((column) => (column.t === "column" ? [column.name] : []));
    // count(*) reads all of a row; what is named beside it is what matters.
    return { stream, columns: named.length === 0 ? null : named };
  });
  const device = reads.length === 1 ? devices.find((one) => one.name === reads[0]!.stream) : undefined;
  const named = device?.properties.map((one) => one.name).filter((name) => reads[0]!.columns?.includes(name) ?? true);
  const last = device === undefined ? [] : [...(await at.valuesOf(device.uid, named ?? [])).values()];
  const tried = last.length === 0 ? null : triedOn(plan, { spec, devices, last, now });
  return {
    reads,
    where: query.where === null ? null : textOf(query.where),
    having: query.having !== null,
    trial: tried,
    window:
      query.window === null
        ? null
        : { text: textOf(query.window), closesAt: tried?.closesAt ?? null, byRows: spec.eventTime !== undefined },
  };
}

/** One row of the last values, as if it came now. */
function triedOn(
  plan: Plan,
  of: {
    readonly spec: SqlRuleSpec;
    readonly devices: readonly EffectiveDevice[];
    readonly last: readonly Reading[];
    readonly now: Micros;
  },
): { values: string; passes: boolean | null; error: string | null; closesAt: Micros | null } {
  const { spec, devices, last, now } = of;
  let error: string | null = null;
  const runner = new QueryRunner(plan, {
    rows: () => {},
    error: ({ message }) => {
      error ??= message;
    },
  });
  const [source] = plan.sources;
  const schema = catalogOf(spec, devices)(source!.stream);
  const content = Object.fromEntries(last.map(({ property, value }) => [property, jsonOf(value)]));
  runner.push(rowReader(source!, schema!)({ content, at: now }), now);
  const values = last.slice(0, valuesNamed).map(({ property, value }) => `${property} = ${shownValue(value)}`);
  const more = last.length > valuesNamed ? `, and ${last.length - valuesNamed} more` : "";
  // Analytic functions look at rows before; of one alone nothing can be told.
  const passes = plan.analytics.length > 0 ? null : runner.hits > 0;
  const closesAt = runner.due() as Micros | null;
  return { values: values.join(", ") + more, passes, error: plan.analytics.length > 0 ? null : error, closesAt };
}

function jsonOf(value: Reading["value"]): unknown {
  return typeof value === "object" && value !== null && "json" in value ? value.json : value;
}

/** Six digits are enough for a sentence. */
function shownValue(value: Reading["value"]): string {
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  return value === null ? "null" : String(jsonOf(value)).slice(0, 40);
}
