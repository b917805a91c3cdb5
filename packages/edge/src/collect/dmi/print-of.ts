import { createHash } from "node:crypto";
import { type EffectiveConnection, type EffectiveDevice, stringifyExact } from "@penstock/model";
import { toDmi } from "./dmi-device.ts";

/**
 * Fingerprint of what a mapper is told of a device but wanted values, so that an edit that changes none of it makes no call:
 * mappers of KubeEdge's framework begin a device anew at every update.
 */
export function printOf(device: EffectiveDevice, connection: EffectiveConnection): string {
  // As if every value were wanted: then all that could be told is in it.
  const all = new Map(device.properties.map(({ name }) => [name, ""]));
  const { device: told, model } = toDmi({ device, connection, namespace: "", protocol: "" }, all);
  const text = stringifyExact([told, model].map(plain));
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(plain);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
