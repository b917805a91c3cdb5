import type { FieldError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkAgainstManifest, type MapperManifest } from "../mapper-manifest.ts";
import { shown } from "../shown.ts";
import { checkCustom } from "./check-custom.ts";
import { checkDevice } from "./check-device.ts";
import { checkDuration } from "./check-duration.ts";
import { checkLine } from "./check-line.ts";
import { checkMethod } from "./check-methods.ts";
import { checkOverlaps, LinePlaces } from "./check-overlaps.ts";
import { checkProperty } from "./check-property.ts";
import type { ConnectionSpec, DeviceModelSpec, DeviceSpec } from "./device.ts";
import { type MergedDevice, mergeDevice } from "./effective-device.ts";

/** What a device refers to, as far as it is there. */
export interface DeviceSurroundings {
  readonly manifests: readonly MapperManifest[];
  /** null: there is none of that name. Of an inline connection it is not asked */
  readonly connection: ConnectionSpec | null;
  /** null: there is none of that name. Asked only where the spec names one */
  readonly model: DeviceModelSpec | null;
  /** the other devices of its line; none unless given */
  readonly line?: LinePlaces;
}

/**
 * Everything that must hold of a device, in one place for API, command line and gateway: what it refers to, its mapper's
 * schemas and rules, and that no two properties of its line lie in one place. Pure.
 *
 * @returns [] when it may be stored; else what breaks which rule, with the path as the user wrote it
 */
export function checkDeviceSpec(name: string, spec: DeviceSpec, around: DeviceSurroundings): FieldError[] {
  const { manifests, connection, model } = around;
  if (typeof spec.connection === "string") {
    const field = "spec.connection";
    const refuse = (rule: string) => [{ field, value: shown(spec.connection), rule }];
    if (connection === null) return refuse("there is no Connection of that name in this tenant");
    if (connection.node !== spec.node) {
      return refuse(`must be at the device's node "${spec.node}", but is at "${connection.node}"`);
    }
  }
  const isShared = typeof spec.connection === "string";
  const { protocol, settings, line } = typeof spec.connection === "string" ? connection! : spec.connection;
  const manifest = manifests.find((one) => one.name === protocol);
  if (manifest === undefined) {
    return [unknownProtocol(manifests, protocol, isShared ? "spec.connection" : "spec.connection.protocol")];
  }
  if (spec.model !== undefined) {
    const refuse = (rule: string) => [{ field: "spec.model", value: shown(spec.model), rule }];
    if (model === null) return refuse("there is no DeviceModel of that name in this tenant");
    if (model.protocol !== undefined && model.protocol !== protocol) {
      return refuse(`is for ${model.protocol}, but the device's connection is ${protocol}`);
    }
  }
  const at = isShared ? `Connection "${String(spec.connection)}" spec.settings` : "spec.connection.settings";
  const fields: FieldError[] = [];
  if (!isShared) {
    fields.push(...checkAgainstManifest(manifest, { connection: settings ?? {} }, { connection: at }));
    fields.push(...checkLine(line, "spec.connection.line"));
  }
  const merged = mergeDevice(spec.model === undefined ? null : model, spec);
  fields.push(...checkDevice(merged, manifest, { settings, at }));
  // Where a field is wrong, it is not known where its point lies.
  if (fields.length > 0) return fields.slice(0, 20);
  return checkOverlaps({ device: name, merged, manifest, settings, line: around.line ?? new LinePlaces() });
}

/** A Connection by itself. */
export function checkConnectionSpec(spec: ConnectionSpec, manifests: readonly MapperManifest[]): FieldError[] {
  const manifest = manifests.find((one) => one.name === spec.protocol);
  if (manifest === undefined) return [unknownProtocol(manifests, spec.protocol, "spec.protocol")];
  const settings = checkAgainstManifest(manifest, { connection: spec.settings ?? {} }, { connection: "spec.settings" });
  return [...settings, ...checkLine(spec.line, "spec.line")];
}

/** A model by itself: what its devices leave to it may still be incomplete, what it states must be right. */
export function checkModelSpec(spec: DeviceModelSpec, manifests: readonly MapperManifest[]): FieldError[] {
  const manifest = manifests.find((one) => one.name === spec.protocol) ?? null;
  if (spec.protocol !== undefined && manifest === null) {
    return [unknownProtocol(manifests, spec.protocol, "spec.protocol")];
  }
  const { properties, methods }: MergedDevice = mergeDevice(spec, { node: "", connection: "" });
  const fields: FieldError[] = [];
  for (const [name, property] of properties) fields.push(...checkProperty(property, `spec.properties.${name}`));
  for (const [name, method] of methods) {
    fields.push(...checkMethod({ method, at: `spec.methods.${name}`, properties, manifest }));
  }
  fields.push(...checkCustom(spec.custom ?? {}, "spec.custom"));
  const bounds = { least: limits.offlineAfterMinMs, most: limits.offlineAfterMaxMs };
  fields.push(...checkDuration(spec.presence?.offlineAfter, { field: "spec.presence.offlineAfter", ...bounds }));
  return fields.slice(0, 20);
}

/** Begins the rule that is told of a protocol that no mapper has. */
export const unknownMapperRule = "must be the name of a mapper";

function unknownProtocol(manifests: readonly MapperManifest[], protocol: string, field: string): FieldError {
  const known = manifests.map((manifest) => manifest.name).sort();
  const rule = `${unknownMapperRule}: ${known.join(", ") || "none is installed"}`;
  return { field, value: shown(protocol), rule };
}
