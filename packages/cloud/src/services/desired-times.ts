import { type DesiredState, isFinal } from "@penstock/model";
import type { DesiredRow } from "./desired-news.ts";

export type StepTimes = Pick<DesiredRow, "taken_at" | "written_at" | "ended_at">;

/**
 * Times of the steps after a report, microseconds. They are the gateway's, but nothing happened before it was asked for nor
 * after it was heard of, whatever that clock says; and a report is proof of the steps before it, whose own news may be on
 * its way still, or lost with the session that carried it.
 */
export function timesAfter(
  row: Pick<DesiredRow, "requested_at"> & StepTimes,
  report: { readonly state: DesiredState; readonly time: number; readonly now: number },
): StepTimes {
  const { state, time, now } = report;
  const at = Math.max(row.requested_at, row.written_at ?? 0, Math.min(time, now));
  const isWritten = state === "written" || state === "confirmed";
  return {
    // Heard of here, so it may be heard after the step that follows it at the gateway.
    taken_at: Math.min(row.taken_at ?? at, isWritten ? (row.written_at ?? at) : at),
    written_at: row.written_at ?? (isWritten ? at : null),
    ended_at: isFinal(state) ? at : null,
  };
}
