import { readFileSync } from "node:fs";
import { type MapperManifest, narrowIntegers, parseManifest } from "@penstock/model";
import { parse, parseAllDocuments } from "yaml";

/** One row of bad-devices.yaml. */
export interface BadDevice {
  readonly covers: string;
  readonly about: string;
  readonly field: string;
  readonly value: string;
  readonly rule: string;
  /** the field that the gateway names, where it can tell */
  readonly gateway?: string;
  /** the resource of plant.yaml with the row's change */
  readonly document: PlantDocument;
}
export interface PlantDocument {
  readonly kind: "Node" | "Connection" | "DeviceModel" | "Device";
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, unknown>;
}

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

/** What the rows assume, the rows, and the mappers that there are. */
export function readBadDevices() {
  const options = { intAsBigInt: true };
  const plant = parseAllDocuments(read("plant.yaml"), options).map(
    (one) => narrowIntegers(one.toJS()) as unknown as PlantDocument,
  );
  const rows = narrowIntegers(parse(read("bad-devices.yaml"), options)) as unknown as (Omit<BadDevice, "document"> & {
    readonly kind?: PlantDocument["kind"];
    readonly change: unknown;
  })[];
  const press = parseManifest(read("mapper.json"));
  const manifests: MapperManifest[] = [press, { ...press, name: "lathe" }];
  const bad = rows.map(({ kind = "Device", change, ...row }): BadDevice => {
    const good = plant.find((one) => one.kind === kind && one.metadata.name !== "for-lathes");
    return { ...row, document: patched(good, change) as PlantDocument };
  });
  return { plant, bad, manifests };
}

/** @source RFC 7396, 2 */
function patched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = typeof target === "object" && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = patched(merged[key], value);
  }
  return merged;
}
