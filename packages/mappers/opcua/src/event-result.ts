import type { PointResult } from "@penstock/mapper-sdk";
import type { Json } from "@penstock/model";
import { NodeId, ObjectTypeIds, type Variant } from "node-opcua-client";
import { jsonOfVariant } from "./json-of.ts";

/** One event as a json object of the fields that were asked for; null where it has none. @param values those, then Time and EventType */
export function eventResult(fields: readonly string[], values: readonly Variant[]): PointResult {
  const json: Record<string, Json> = {};
  fields.forEach((field, i) => {
    const value = values[i];
    json[field] = value === undefined ? null : jsonOfVariant(value);
  });
  const at = values[fields.length]?.value;
  return { value: { json }, ...(at instanceof Date && at.getTime() > 0 && { time: at.getTime() * 1000 }) };
}

/**
 * The server tells once, in an event of its own, that its queue had no room for others.
 *
 * @source OPC UA 1.05 Part 4, 5.13.1.5; Part 5, EventQueueOverflowEventType
 */
export function isQueueOverflow(fields: readonly string[], values: readonly Variant[]): boolean {
  const type = values[fields.length + 1]?.value as unknown;
  return type instanceof NodeId && type.namespace === 0 && type.value === ObjectTypeIds.EventQueueOverflowEventType;
}
