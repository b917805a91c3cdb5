import type { DesiredReport } from "@penstock/model";

/** of a message and of each thing in it, whatever it says */
const overheadBytes = 200;

/** About how many bytes of memory a control message holds while it is under way. */
export function controlWeight(
  items: readonly (Pick<DesiredReport, "device"> & Partial<Pick<DesiredReport, "value" | "message">>)[],
): number {
  return items.reduce(
    (sum, { value, message }) => sum + overheadBytes + lengthOf(value) + (message?.length ?? 0),
    overheadBytes,
  );
}

function lengthOf(value: DesiredReport["value"] | undefined): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  return typeof value === "object" && value !== null ? JSON.stringify(value).length : 0;
}
