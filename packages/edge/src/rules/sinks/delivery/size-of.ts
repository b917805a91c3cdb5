import type { Value } from "@penstock/rules";

/** About how many bytes a value takes in memory: to bound queues, not to bill. */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return 16 + value.length * 2;
  if (typeof value !== "object" || value === null) return 8;
  if (value instanceof Uint8Array) return 64 + value.length;
  let size = 32;
  for (const [name, one] of Object.entries(value)) size += 8 + name.length + sizeOf(one as Value);
  return size;
}
