/** Takes the place of packages/cloud/src/services/desired-state.ts: whatever is heard last is what is known. */
import { type DesiredState, isFinal } from "@penstock/model";

export interface DesiredProgress {
  readonly version: number;
  readonly state: DesiredState;
}

export function isNews(_known: DesiredProgress, _said: DesiredProgress): boolean {
  return true;
}

export function isSettled(state: DesiredState, isWriteOnly: boolean): boolean {
  return isFinal(state) || (isWriteOnly && state === "written");
}
