import type { EffectiveDevice, Micros, SqlRuleSpec } from "@penstock/model";
import { type HostFunctions, type Plan, planQuery } from "@penstock/rules";
import { offsetAtOf } from "@penstock/runtime";
import { catalogOf } from "./check-rule-at.ts";

/** A rule's query as closures that really compute, for the devices of one gateway. @throws AppError rules/bad-sql */
export function planOf(
  { sql, mode = "strict", sources }: SqlRuleSpec,
  at: {
    readonly devices: readonly EffectiveDevice[];
    readonly timeZone: string;
    readonly host: HostFunctions;
    readonly now: Micros;
  },
): Plan {
  const { devices, timeZone, host, now } = at;
  const catalog = catalogOf({ ...(sources !== undefined && { sources }) }, devices);
  const options = { ruleId: "trial", startedAt: now, timeZone, offsetAt: offsetAtOf(timeZone), host };
  return planQuery({ sql, mode, catalog, ...options });
}
