import type { PointResult } from "@penstock/mapper-sdk";
import type { Json } from "@penstock/model";
import type { Variant } from "node-opcua-client";
import { jsonOfVariant } from "./json-of.ts";

/** One event as a json object of the fields that were asked for; null where it has none. @param values those, then Time */
export function eventResult(fields: readonly string[], values: readonly Variant[]): PointResult {
  const json: Record<string, Json> = {};
  fields.forEach((field, i) => {
    const value = values[i];
    json[field] = value === undefined ? null : jsonOfVariant(value);
  });
  const at = values[fields.length]?.value;
  return { value: { json }, ...(at instanceof Date && at.getTime() > 0 && { time: at.getTime() * 1000 }) };
}
