import {
  type ConnectionUid,
  type DeviceLoad,
  type DeviceModelSpec,
  type DeviceSpec,
  type DeviceUid,
  effectiveDevice,
  lineSettings,
  type MapperManifest,
  mergeDevice,
  predictLoad,
} from "@penstock/model";
import type { DeviceFact, DeviceFacts } from "./device-facts.ts";
import { type Row, specOf } from "./resource-rows.ts";

/** A line as far as it says what its devices' reads cost. */
export interface DescribedLine {
  readonly uid: string;
  readonly spec: Exclude<DeviceSpec["connection"], string>;
  /** null: it is not stored as it is here */
  readonly version: string | null;
}
interface ModelHere {
  readonly spec: DeviceModelSpec;
  /** null: it is not stored as it is here */
  readonly version: string | null;
}
interface Wanted {
  readonly line: DescribedLine;
  readonly manifest: MapperManifest;
  /** by uid, what counts in place of what is stored */
  readonly instead: ReadonlyMap<string, Row>;
  modelOf(fact: DeviceFact): Promise<ModelHere | null>;
}

/** Devices whose loads are held, some 500 bytes each; beyond it all are worked out again. */
const heldMost = 100_000;

/**
 * The predicted loads of devices. Planning a thousand properties takes milliseconds, and people look at a list of lines again
 * and again: a load is worked out anew when the device, its model or its line has another version.
 */
export function createDeviceLoads(facts: Pick<DeviceFacts, "rowsOf">) {
  const held = new WeakMap<MapperManifest, Map<string, { readonly key: string; readonly load: DeviceLoad }>>();

  return {
    /** in the order of the devices; one that has just been deleted is left out */
    async of(devices: readonly DeviceFact[], wanted: Wanted): Promise<{ device: string; load: DeviceLoad }[]> {
      const { line, manifest, instead } = wanted;
      const known = held.get(manifest) ?? new Map<string, { readonly key: string; readonly load: DeviceLoad }>();
      held.set(manifest, known);
      const loads = new Map<string, DeviceLoad>();
      const open: { readonly fact: DeviceFact; readonly model: ModelHere | null; readonly key: string | null }[] = [];
      for (const fact of devices) {
        const model = await wanted.modelOf(fact);
        const isStored = line.version !== null && model?.version !== null && !instead.has(fact.uid);
        const key = isStored ? `${fact.version} ${model?.version ?? ""} ${line.version}` : null;
        const before = known.get(fact.uid);
        if (before !== undefined && before.key === key) loads.set(fact.uid, before.load);
        else open.push({ fact, model, key });
      }
      const rows = new Map(instead);
      const uids = open.flatMap(({ fact: { uid } }) => (rows.has(uid) ? [] : uid));
      for (const row of await facts.rowsOf(uids)) rows.set(row.uid, row);
      for (const { fact, model, key } of open) {
        const row = rows.get(fact.uid);
        if (row === undefined) continue;
        const load = loadOf(row, model?.spec ?? null, wanted);
        loads.set(fact.uid, load);
        // It may have changed since its version was read.
        if (key === null || row.resource_version !== fact.version) continue;
        if (known.size >= heldMost) known.clear();
        known.set(fact.uid, { key, load });
      }
      return devices.flatMap(({ uid, name }) => {
        const load = loads.get(uid);
        return load === undefined ? [] : [{ device: name, load }];
      });
    },
  };
}

function loadOf(row: Row, model: DeviceModelSpec | null, { line, manifest }: Wanted): DeviceLoad {
  const uid = row.uid as DeviceUid;
  const device = effectiveDevice({
    ...{ uid, name: row.name, generation: row.generation, connection: line.uid as ConnectionUid },
    merged: mergeDevice(model, specOf<DeviceSpec>(row)),
  });
  const { settings = {} } = line.spec;
  const load = predictLoad({ manifest, line: lineSettings(line.spec.line), settings, devices: [device] });
  // Who asks has made sure that the manifest says what reads cost.
  return load!.byDevice.get(uid)!;
}
