import { forEachReading, formatMicros, type Json, type ReadingBatch, valueToJson } from "@penstock/model";

export function tagsDataTopic(tenant: string, device: string): string {
  return `penstock/${tenant}/${device}/tags`;
}

/**
 * One cycle of a device as a list of tags: `[{name, value, timestamp, quality, reason?, unit?}]`, for programs that take
 * tags one by one. Values and times as in `encodeFlatData`, the time of each its own; `reason` where it is not good.
 *
 * @param units  of properties that have one, UCUM
 * @returns null when there is nothing to say
 */
export function encodeTags(batch: ReadingBatch, units: ReadonlyMap<string, string>): Uint8Array | null {
  const tags: Json[] = [];
  forEachReading(batch, ({ property, type, time, value, quality, reason }) => {
    const unit = units.get(property);
    tags.push({
      ...{ name: property, value: valueToJson(type, value), timestamp: formatMicros(time), quality },
      ...(reason !== null && { reason }),
      ...(unit !== undefined && { unit }),
    });
  });
  return tags.length === 0 ? null : Buffer.from(JSON.stringify(tags));
}
