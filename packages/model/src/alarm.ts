import type { ErrorCode } from "./errors.ts";
import type { Micros, NodeUid, TenantUid } from "./ids.ts";

export const severities = ["critical", "major", "minor", "warning"] as const;
export type Severity = (typeof severities)[number];

/** Raised once per (tenant, node, code, key) until cleared; raising again counts up. */
export interface Alarm {
  readonly tenant: TenantUid;
  readonly node: NodeUid | null;
  readonly code: ErrorCode;
  /** what tells two alarms of one code and node apart, such as a range of sequence numbers */
  readonly key: string;
  readonly severity: Severity;
  readonly message: string;
  readonly raisedAt: Micros;
  readonly lastAt: Micros;
  readonly count: number;
  readonly clearedAt: Micros | null;
}
