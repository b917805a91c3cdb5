import type { Client } from "@penstock/api";
import { tableText } from "./print-table.ts";
import { timeText } from "./time-cell.ts";
import { valueText } from "./value-cell.ts";

type Property = Awaited<ReturnType<Client["twins"]["get"]>>["properties"][number];

/**
 * What is wanted of a device: each desired value with its state, the time of each step and why it is as it is, and who holds
 * a property at the gateway.
 *
 * @returns null when nothing was ever set
 */
export function wantedTable(properties: readonly Property[]): string | null {
  const rows = properties.flatMap(({ property, desired, hold }) => {
    if (desired === null && hold === null) return [];
    const holder = hold === null ? "-" : `${hold.holder}: ${valueText(hold.value, null)}`;
    const until = hold === null ? "-" : hold.until === null ? "released" : timeText(hold.until);
    if (desired === null) return [[property, "-", "-", "-", "-", "-", "-", "-", holder, until, "-"]];
    const { value, state, setBy, setAt, sentAt, writtenAt, endedAt, reason, message } = desired;
    return [
      [
        ...[property, valueText(value, null), state, setBy, timeText(setAt), timeText(sentAt), timeText(writtenAt)],
        ...[timeText(endedAt), holder, until, reason === null ? "-" : `${reason}: ${message ?? ""}`],
      ],
    ];
  });
  if (rows.length === 0) return null;
  const steps = ["set", "sent", "written", "ended"];
  return tableText(["property", "wanted", "state", "by", ...steps, "held by", "held until", "reason"], rows);
}
