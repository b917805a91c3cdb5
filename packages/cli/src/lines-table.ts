import type { Contract, ResponseOf } from "@penstock/api";
import { clean, tableText } from "./print-table.ts";

export type Lines = ResponseOf<Contract["changes"]["routes"]["preview"]>["lines"];
type Line = Lines[number];

/** Lines that one table shows; -o json has them all. */
const rowsMost = 50;

/** The predicted load of lines, before and after a change, and a sentence for each that will be short of time. "" for none. */
export function linesText(lines: Lines): string {
  if (lines.length === 0) return "";
  const rows = lines.slice(0, rowsMost).map((line) => {
    const { before, after, node, state, unpredicted } = line;
    const change = (of: (figures: NonNullable<Line["after"]>) => string) =>
      `${before === null ? "-" : of(before)} → ${after === null ? "-" : of(after)}`;
    return [
      ...[nameOf(line), node],
      ...[change(({ percent }) => percentText(percent)), change((figures) => amountText(figures.requestsPerSecond))],
      unpredicted === null ? state : `unknown: ${unpredicted}`,
    ];
  });
  const parts = [tableText(["line", "gateway", "predicted load", "requests/s", "state"], rows)];
  if (lines.length > rowsMost) parts.push(`and ${lines.length - rowsMost} more lines, none of them fuller`);
  return [...parts, ...lineWarnings(lines)].join("\n");
}

/** One sentence for each line that would be tight or overloaded, with what takes the most of it. */
export function lineWarnings(lines: Lines): string[] {
  return lines.flatMap((line) => {
    const { state, after, most } = line;
    if (after === null || (state !== "tight" && state !== "overloaded")) return [];
    const takers = most
      .slice(0, 3)
      .map(({ device, cadence, percent }) => `${clean(device)} ${cadence} ${percentText(percent)}`);
    const outlook =
      state === "overloaded"
        ? "cycles will be skipped"
        : "little is left for writes, retries and devices that are silent";
    const load = `Warning: line ${clean(nameOf(line))} would be ${state}, at ${percentText(after.percent)} of its time: ${outlook}`;
    return [takers.length === 0 ? load : `${load}. The most of it: ${takers.join(", ")}`];
  });
}

function nameOf({ connection, device }: Line): string {
  return connection ?? `${device} (inline)`;
}

/** "62 %"; what is below ten has a digit more. */
export function percentText(percent: number | null): string {
  return percent === null ? "-" : `${amountText(percent)} %`;
}

export function amountText(amount: number): string {
  return amount < 10 ? String(Number(amount.toFixed(1))) : amount.toFixed(0);
}
