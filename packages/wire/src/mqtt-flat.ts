import { forEachReading, formatMicros, type Json, type ReadingBatch, valueToJson } from "@penstock/model";

export function flatDataTopic(tenant: string, device: string): string {
  return `penstock/${tenant}/${device}/data`;
}

/**
 * One cycle of a device as flat, typed JSON: `{time, values, quality?}`. Values stand as DESIGN 4 writes them (64-bit
 * integers as decimal text, bytes as base64, null for none). `quality` names only the readings that are not good, each
 * with its reason. `time` is the newest reading's, RFC 3339 in UTC.
 *
 * @param only  the properties to take; all when left out
 * @returns null when nothing is left to say
 */
export function encodeFlatData(batch: ReadingBatch, only?: ReadonlySet<string>): Uint8Array | null {
  const values: Record<string, Json> = Object.create(null);
  const quality: Record<string, Json> = Object.create(null);
  let newest = batch.baseTime;
  let any = false;
  let anyQuality = false;
  forEachReading(batch, (reading) => {
    const { property } = reading;
    if (only !== undefined && !only.has(property)) return;
    newest = any && newest > reading.time ? newest : reading.time;
    any = true;
    values[property] = valueToJson(reading.type, reading.value);
    if (reading.quality === "good") return;
    anyQuality = true;
    quality[property] = { is: reading.quality, reason: reading.reason };
  });
  if (!any) return null;
  return Buffer.from(JSON.stringify({ time: formatMicros(newest), values, ...(anyQuality ? { quality } : {}) }));
}
