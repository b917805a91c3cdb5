import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkAgainstManifest, type MapperManifest, type SettingsGiven, schemaErrors } from "../mapper-manifest.ts";
import { shown } from "../shown.ts";
import { formatDuration, parseDuration } from "../time.ts";
import { checkCustom } from "./check-custom.ts";
import { checkDuration } from "./check-duration.ts";
import { checkMethod } from "./check-methods.ts";
import { checkProperty } from "./check-property.ts";
import { defaultEveryMs, type MergedDevice } from "./effective-device.ts";

/** The most that one answer tells: nobody reads more, and 10,000 properties may break one rule. */
const fieldsMost = 20;

/**
 * What a schema cannot say of a merged device: types, bounds, cycles, methods, the mapper's own fields and rules. Pure.
 * Where its points lie, and whether they overlap, is `checkOverlaps`.
 *
 * @param manifest  of the device's protocol
 * @param line  settings of its connection, which the mapper's rules may look at, and how the user wrote them
 * @returns [] when the gateway can take it; at most 20 fields
 */
export function checkDevice(
  merged: MergedDevice,
  manifest: MapperManifest,
  line: { readonly settings?: unknown; readonly at?: string } = {},
): FieldError[] {
  if (merged.properties.size > limits.propertiesPerDevice) {
    const value = `${merged.properties.size} properties`;
    const rule = `must be at most ${limits.propertiesPerDevice}, those of the model included`;
    return [{ field: "spec.properties", value, rule }];
  }
  const connection = line.settings ?? {};
  const at = { connection: line.at ?? "spec.connection.settings", address: "spec.address" };
  const fields = checkAgainstManifest(manifest, { address: merged.address }, at, { known: { connection } });
  fields.push(...checkCustomBlock(manifest, merged.custom, "spec.custom"));
  fields.push(...checkPresence(merged));
  for (const [name, property] of merged.properties) {
    if (fields.length >= fieldsMost) break;
    const own = checkProperty(property, `spec.properties.${name}`);
    fields.push(...own);
    if (own.length > 0) continue;
    const path = `spec.properties.${name}`;
    const known: SettingsGiven = { connection, address: merged.address };
    // checkProperty has just said that there is a type.
    const facts = { access: property.access ?? "read", type: property.type!, at: path };
    if (property.calculated !== true) {
      const visitor = { visitor: property.visitor ?? {} };
      const paths = { ...at, visitor: `${path}.visitor` };
      fields.push(...checkAgainstManifest(manifest, visitor, paths, { known, property: facts }));
    }
    if (property.collect?.subscribe === true && manifest.subscribes !== true) {
      const rule = `devices of "${manifest.name}" tell nothing by themselves: state every or at`;
      fields.push({ field: `${path}.collect.subscribe`, value: "true", rule });
    }
    fields.push(...checkCustomBlock(manifest, property.custom ?? {}, `${path}.custom`));
  }
  for (const [name, method] of merged.methods) {
    if (fields.length >= fieldsMost) break;
    fields.push(...checkMethod({ method, at: `spec.methods.${name}`, properties: merged.properties, manifest }));
  }
  return fields.slice(0, fieldsMost);
}

/** Each `custom` block that is written, by the mapper's schema where it states one. */
function checkCustomBlock(
  manifest: MapperManifest,
  custom: Readonly<Record<string, unknown>>,
  at: string,
): FieldError[] {
  if (Object.keys(custom).length === 0) return [];
  const fields = checkCustom(custom, at);
  return fields.length > 0 || manifest.custom === null ? fields : schemaErrors(manifest.custom, custom, at);
}

function checkPresence({ presence, properties }: MergedDevice): FieldError[] {
  const { offlineAfter } = presence;
  const field = "spec.presence.offlineAfter";
  const fields = checkDuration(offlineAfter, {
    field,
    least: limits.offlineAfterMinMs,
    most: limits.offlineAfterMaxMs,
  });
  if (offlineAfter === undefined || fields.length > 0) return fields;
  let fastestMs = Number.POSITIVE_INFINITY;
  for (const { access, collect, calculated } of properties.values()) {
    if (calculated === true || access === "write" || collect?.at !== undefined || collect?.subscribe !== undefined)
      continue;
    fastestMs = Math.min(fastestMs, parseDuration(collect?.every ?? "") ?? defaultEveryMs);
  }
  const ms = parseDuration(offlineAfter)!;
  if (fastestMs === Number.POSITIVE_INFINITY || ms >= fastestMs) return fields;
  const rule = `must be at least ${formatDuration(fastestMs)}, how often the device is asked at most`;
  return [{ field, value: shown(offlineAfter), rule }];
}
