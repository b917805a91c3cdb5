import { forEachReading, type ReadingBatch, type ValueType, valueToText } from "@penstock/model";

/**
 * KubeEdge's own names of value types, the nearest to each of ours.
 * @source KubeEdge 1.22, devices.kubeedge.io/v1beta1 DeviceModel: INT, FLOAT, DOUBLE, STRING, BOOLEAN, BYTES, STREAM
 */
const kubeEdgeType = {
  bool: "BOOLEAN",
  int8: "INT",
  int16: "INT",
  int32: "INT",
  int64: "INT",
  uint8: "INT",
  uint16: "INT",
  uint32: "INT",
  uint64: "INT",
  float32: "FLOAT",
  float64: "DOUBLE",
  string: "STRING",
  bytes: "BYTES",
  json: "STRING",
} as const satisfies Record<ValueType, string>;

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
