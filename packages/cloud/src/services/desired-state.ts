import { type DesiredState, isFinal } from "@penstock/model";

/** What is known of the newest desired value of a property. */
export interface DesiredProgress {
  readonly version: number;
  readonly state: DesiredState;
}

const rank = {
  pending: 0,
  sent: 1,
  written: 2,
  confirmed: 3,
  failed: 3,
  superseded: 3,
  expired: 3,
} as const satisfies Record<DesiredState, number>;

/**
 * Whether news of a desired value changes what is known. Only forward: an older version never speaks, and a state never
 * falls back. One exception: where the cloud's own clock said "expired" while the link was down, the gateway's word on
 * what became of it is the truth.
 */
export function isNews(known: DesiredProgress, said: DesiredProgress): boolean {
  if (said.version !== known.version) return false;
  if (known.state === "expired") return said.state === "confirmed" || said.state === "failed";
  return rank[said.state] > rank[known.state];
}

/** A write-only property cannot be read back: "written" is its end. */
export function isSettled(state: DesiredState, isWriteOnly: boolean): boolean {
  return isFinal(state) || (isWriteOnly && state === "written");
}
