import {
  AppError,
  type EffectiveDevice,
  type FieldError,
  type RuleEnds,
  RuleLoops,
  type RuleSourceSpec,
  type RuleSpec,
  readsOf,
  type SqlRuleSpec,
  shown,
  writesOf,
} from "@penstock/model";
import {
  type Catalog,
  columnTypeOf,
  declaredColumns,
  declaredTable,
  type HostFunctions,
  outputColumns,
  type Plan,
  planQuery,
} from "@penstock/rules";
import { checkRuleActions } from "./check-rule-actions.ts";

/** What a rule breaks at one gateway; [] when it can run there. */
export function checkRuleAt(of: {
  readonly name: string;
  readonly spec: SqlRuleSpec;
  readonly node: string;
  /** of the gateway, those that the rule may name */
  readonly devices: readonly EffectiveDevice[];
}): FieldError[] {
  const { name, spec, node, devices } = of;
  const { sql, mode = "strict" } = spec;
  let plan: Plan;
  try {
    plan = plannedAt(name, spec, devices);
  } catch (error) {
    return [sqlFault(error, node)];
  }
  const columns = outputColumns(sql, mode);
  const loop = new RuleLoops().through(endsOf({ name, spec, plan, columns }));
  if (loop !== null) return [loopFault(loop)];
  return checkRuleActions({ spec, columns, node, devices });
}

/** Compiled to be looked at, not to compute. @throws AppError rules/bad-sql */
function plannedAt(name: string, spec: SqlRuleSpec, devices: readonly EffectiveDevice[]): Plan {
  const { sql, mode = "strict" } = spec;
  const options = { host: noHost, timeZone: "UTC", offsetAt: () => 0, ruleId: name, startedAt: 0 };
  return planQuery({ sql, mode, catalog: catalogOf(spec, devices), ...options });
}

/** What a rule is fed with and gives at one gateway; null: it cannot run there, and so feeds nobody. */
export function endsAt(of: {
  readonly name: string;
  readonly spec: SqlRuleSpec;
  readonly devices: readonly EffectiveDevice[];
}): RuleEnds | null {
  const { name, spec, devices } = of;
  try {
    const columns = outputColumns(spec.sql, spec.mode ?? "strict");
    return endsOf({ name, spec, plan: plannedAt(name, spec, devices), columns });
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

function endsOf(of: {
  readonly name: string;
  readonly spec: SqlRuleSpec;
  readonly plan: Plan;
  readonly columns: readonly string[] | null;
}): RuleEnds {
  const { name, spec, plan, columns } = of;
  const streams = plan.sources.map(({ stream, columns: read }) => ({
    stream,
    columns: read.flatMap((column) => (column.t === "column" ? [column.name] : [])),
  }));
  const chooses = plan.where !== null || (plan.window?.filter ?? null) !== null;
  return {
    name,
    reads: readsOf({ sources: spec.sources ?? {}, streams, chooses }),
    writes: writesOf(spec.actions, columns),
  };
}

/** @param node  where the rules of the path meet; left out of a rule that feeds itself */
export function loopFault(path: readonly string[], node?: string): FieldError {
  const where = node === undefined ? "" : `at gateway "${node}": `;
  const what = path.length === 2 ? "the rule writes" : "the rule gives to others that feed it";
  const rule = `${where}must not read what ${what}: each result would make the next`;
  return { field: "spec.actions", value: shown(path.join(" ─▶ "), { most: 400 }), rule };
}

export function catalogOf({ sources = {} }: Pick<RuleSpec, "sources">, devices: readonly EffectiveDevice[]): Catalog {
  return (name) => {
    const own = Object.hasOwn(sources, name) ? sources[name]! : null;
    if (own !== null) {
      const table = declaredTable(own);
      return { name, columns: columnsOf(own), ...(table !== undefined && { table }) };
    }
    const device = devices.find((one) => one.name === name);
    if (device === undefined) return null;
    return { name, columns: new Map(device.properties.map((one) => [one.name, columnTypeOf(one.type)])) };
  };
}

function columnsOf({ columns }: RuleSourceSpec) {
  return columns === undefined ? null : declaredColumns(columns);
}

/**
 * What is wrong with a query, as a field.
 *
 * @param node  where it was tried; left out when it cannot be read anywhere
 */
export function sqlFault(error: unknown, node?: string): FieldError {
  const message = error instanceof Error ? error.message : String(error);
  const [, place, near, what] = /at (line \d+, column \d+), (?:near (".*?")|at its end): (.*)$/s.exec(message) ?? [];
  const where = node === undefined ? "" : `at gateway "${node}": `;
  const rule = place === undefined ? `${where}${message}` : `${place}: ${where}${what}`;
  return { field: "spec.sql", value: near ?? "the end of the query", rule };
}

/** Nothing is computed here but what never changes, and that needs none of these. */
const noHost: HostFunctions = {
  digest: (_algorithm, bytes) => bytes,
  compress: (_method, bytes) => bytes,
  decompress: (_method, bytes) => bytes,
  random: () => 0,
  uuid: () => "00000000-0000-4000-8000-000000000000",
};
