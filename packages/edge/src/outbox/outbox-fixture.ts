import {
  batchFromSamples,
  type DeviceUid,
  layoutOrder,
  type Micros,
  type OutboxEntry,
  type ReadingBatch,
} from "@penstock/model";
import { encodeBatchBody } from "@penstock/wire";

/** A batch of one of a few devices and shapes; `number` makes its body one of a kind. For tests. */
export function testBatch(options: { device?: number; shape?: number; number: number; rows?: number }): ReadingBatch {
  const { device = 1, shape = 1, number, rows = 2 + shape } = options;
  const layout = {
    id: 0,
    device: String(device).padStart(32, "0") as DeviceUid,
    properties: layoutOrder(
      Array.from({ length: rows }, (_, k) => ({ name: `p${shape}-${k}`, type: "float64" as const })),
    ),
  };
  const time = (1_800_000_000_000_000 + number) as Micros;
  const samples = layout.properties.map((property, k) => ({
    property: property.name,
    time,
    value: number + k / 10,
    quality: "good" as const,
    reason: null,
  }));
  return batchFromSamples({ layout, samples }).batch;
}

/** device, properties and body as text, the same for a batch and for the entry that it became */
export function bodyText(from: ReadingBatch | OutboxEntry): string {
  const body = "body" in from ? from.body : encodeBatchBody(from);
  const { device, properties } = from.layout;
  return `${device} ${properties.map((property) => property.name).join()} ${Buffer.from(body).toString("hex")}`;
}
