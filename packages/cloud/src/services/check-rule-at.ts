import {
  type EffectiveDevice,
  endOfProperty,
  endOfStream,
  type FieldError,
  RuleLoops,
  type RuleSourceSpec,
  type RuleSpec,
  type SqlRuleSpec,
  shown,
  writesOf,
} from "@penstock/model";
import {
  type Catalog,
  columnTypeOf,
  declaredColumns,
  type HostFunctions,
  outputColumns,
  type Plan,
  planQuery,
  type StreamSchema,
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
  const { sql, mode = "strict", actions, sources = {} } = spec;
  let plan: Plan;
  try {
    const catalog = catalogOf(spec, devices);
    const options = { host: noHost, timeZone: "UTC", offsetAt: () => 0, ruleId: name, startedAt: 0 };
    plan = planQuery({ sql, mode, catalog, ...options });
  } catch (error) {
    return [sqlFault(error, node)];
  }
  const columns = outputColumns(sql, mode);
  const reads = plan.sources.flatMap(({ stream, columns: read }) => {
    if (Object.hasOwn(sources, stream)) return [endOfStream(stream)];
    return read.flatMap((column) => (column.t === "column" ? [endOfProperty(stream, column.name)] : []));
  });
  const loop = new RuleLoops().through({ name, reads, writes: writesOf(actions, columns) });
  if (loop !== null) {
    const rule = "must not read what the rule writes: each result would make the next";
    return [{ field: "spec.actions", value: shown(loop.join(" ─▶ ")), rule }];
  }
  return checkRuleActions({ spec, columns, node, devices });
}

export function catalogOf({ sources = {} }: Pick<RuleSpec, "sources">, devices: readonly EffectiveDevice[]): Catalog {
  return (name) => {
    if (Object.hasOwn(sources, name)) return { name, columns: columnsOf(sources[name]!), ...tableOf(sources[name]!) };
    const device = devices.find((one) => one.name === name);
    if (device === undefined) return null;
    return { name, columns: new Map(device.properties.map((one) => [one.name, columnTypeOf(one.type)])) };
  };
}

function tableOf({ table }: RuleSourceSpec): Pick<StreamSchema, "table"> {
  return table === undefined ? {} : { table: { t: "scan", rows: table.rows ?? 1, key: table.key ?? null } };
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
