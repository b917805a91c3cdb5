import { forEachReading, kubeEdgeType, type ReadingBatch, valueToText } from "@penstock/model";

/** The bypass topic of KubeEdge's mapper framework; its device id is namespace/name, ours tenant/name. */
export function kubeEdgeDataTopic(tenant: string, device: string): string {
  return `$ke/events/device/${tenant}/${device}/data/update`;
}

/**
 * One cycle of a device as KubeEdge's `data/update` payload: values are texts, times are milliseconds. It has no quality,
 * so a reading without a value is left out.
 *
 * @param eventId  names the message; any text that does not come twice
 * @returns null when no reading has a value
 */
export function encodeKubeEdgeData(batch: ReadingBatch, eventId: string): Uint8Array | null {
  const data: Record<string, unknown> = Object.create(null);
  let newest = 0;
  let any = false;
  forEachReading(batch, ({ property, type, time, value }) => {
    if (value === null) return;
    const timestamp = Math.floor(time / 1000);
    newest = Math.max(newest, timestamp);
    any = true;
    data[property] = { value: valueToText(type, value), metadata: { timestamp, type: kubeEdgeType[type] } };
  });
  return any ? Buffer.from(JSON.stringify({ event_id: eventId, timestamp: newest, data })) : null;
}
