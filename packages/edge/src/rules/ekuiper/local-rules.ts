import type { EffectiveDevice, EffectiveRule, RuleHealth } from "@penstock/model";
import type { HostFunctions, OffsetAt } from "@penstock/rules";

/** The gateway's rules, as far as those who make rules at the gateway need them; main.ts hands it in. */
export interface LocalRules {
  /** those that the cloud assigned */
  assigned(): readonly EffectiveRule[];
  devices(): readonly EffectiveDevice[];
  readonly tenant: () => string;
  readonly timeZone: () => string;
  offsetAt(timeZone: string): OffsetAt;
  readonly host: HostFunctions;
  /** they run beside those assigned, in the place of those given before; resolves when `status` tells of them */
  apply(rules: readonly EffectiveRule[]): Promise<void>;
  /** of all */
  status(): readonly RuleHealth[];
}
