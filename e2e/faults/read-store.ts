import { existsSync } from "node:fs";
import { join } from "node:path";
import { readAllReadings } from "@penstock/cloud";
import { addRange, holds, missingFrom, type Ranges, valueToJson } from "@penstock/model";
import { openSqlite } from "@penstock/runtime";
import { type Fact, factValue } from "./facts.ts";

/** Every reading in the cloud's own files, whatever the cloud would say of them. */
export function readStore(folder: string): Fact[] {
  const facts: Fact[] = [];
  const names = new Map<string, string>();
  for (const { epoch, seq, device, property, type, time, value, quality } of readAllReadings(folder)) {
    const series = `${device}/${property}`;
    const shared = names.get(series) ?? series;
    names.set(shared, shared);
    facts.push({ epoch, seq, series: shared, time, value: factValue(valueToJson(type, value), quality) });
  }
  return facts;
}

/** @returns how many of the accepted seqs the cloud has not settled; it may be running */
export function unsettled(
  folder: string,
  accepted: readonly { readonly epoch: string; readonly from: number; readonly to: number }[],
): number {
  const path = join(folder, "series.db");
  if (!existsSync(path)) return accepted.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const db = openSqlite({ path, readOnly: true });
  try {
    // All epochs of the run's one gateway: what was not delivered is offered again under a new one, with the same seqs.
    let settled: Ranges = [];
    for (const row of db.prepare("SELECT ranges FROM source").all()) {
      for (const [from, to] of JSON.parse(String(row.ranges)) as Ranges) settled = addRange(settled, from, to);
    }
    let open = 0;
    for (const { from, to } of accepted) {
      if (holds(settled, from, to)) continue;
      for (const [low, high] of missingFrom(settled, from, to)) open += high - low + 1;
    }
    return open;
  } finally {
    db.close();
  }
}
