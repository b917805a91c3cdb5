import type { LocalProgress, LocalStatus, LocalTwinAnswer } from "@penstock/model";
import { formatDuration } from "@penstock/model";
import { tableText } from "./print-table.ts";
import { timeText } from "./time-cell.ts";
import { valueText } from "./value-cell.ts";

/** What a gateway does, for people. */
export function statusText(status: LocalStatus): string {
  const { node, tenant, agentVersion, link, mappers, lines, cycles, outbox, holds, counters } = status;
  const why = link.message === null ? "" : `: ${link.message}`;
  const parts = [
    `Gateway "${node}" of tenant "${tenant ?? "(nothing assigned yet)"}", agent ${agentVersion}; link ${link.phase}${why}`,
    `Outbox: ${outbox.readings} readings wait, ${outbox.bytes} bytes${outbox.full ? ", full" : ""}`,
  ];
  const table = (heads: readonly string[], rows: readonly (readonly string[])[]) => {
    if (rows.length > 0) parts.push("", tableText(heads, rows));
  };
  table(
    ["mapper", "state", "restarts", "reason"],
    mappers.map((one) => [one.mapper, one.state, String(one.restarts), one.message ?? "-"]),
  );
  table(
    ["line", "state", "load", "requests/s", "reason"],
    lines.map((line) => [
      ...[line.connection, line.state, `${line.loadPercent.toFixed(1)} %`, line.requestsPerSecond.toFixed(1)],
      line.message ?? "-",
    ]),
  );
  table(
    ["device", "cycle", "measured", "longest", "overruns"],
    cycles.map((cycle) => [
      cycle.device,
      "everyMs" in cycle.cadence ? formatDuration(cycle.cadence.everyMs) : "times of day",
      ...[cycle.measuredMs, cycle.longestMs].map((ms) => (ms === null ? "-" : `${Math.round(ms)}ms`)),
      String(cycle.overruns),
    ]),
  );
  table(
    ["held", "value", "holder", "since", "until"],
    holds.map((hold) => [
      ...[`${hold.device}.${hold.property}`, valueText(hold.value, null), hold.holder, timeText(hold.since)],
      hold.until === null ? "released" : timeText(hold.until),
    ]),
  );
  table(
    ["counted", "number"],
    Object.entries(counters).map(([name, number]) => [name, String(number)]),
  );
  return parts.join("\n");
}

/** A device as its gateway knows it, for people. */
export function twinText({ properties, methods }: LocalTwinAnswer): string {
  const rows = properties.map(({ property, unit, reported, desired, local, hold }) => [
    property,
    valueText(reported?.value, unit),
    reported?.quality ?? "-",
    timeText(reported?.time),
    progressText(desired),
    progressText(local),
    hold?.holder ?? "-",
  ]);
  const parts = [tableText(["property", "value", "quality", "time", "of the cloud", "set here", "held by"], rows)];
  if (methods.length > 0) {
    const lines = methods.map(({ method, arguments: given, resultType }) => [
      method,
      given.map(({ name, type, isOptional }) => `${name}${isOptional ? "?" : ""}: ${type}`).join(", ") || "-",
      resultType ?? "-",
    ]);
    parts.push("", tableText(["method", "arguments", "result"], lines));
  }
  return parts.join("\n");
}

function progressText(progress: LocalProgress | null): string {
  if (progress === null) return "-";
  const { state, value, readBack, reason, endedAt } = progress;
  const shown = endedAt === null ? value : readBack;
  return `${valueText(shown, null)} (${state}${reason === null ? "" : `, ${reason}`})`;
}
