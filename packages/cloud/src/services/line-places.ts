import {
  type ConnectionSpec,
  type DeviceModelSpec,
  type DeviceSpec,
  LinePlaces,
  type MapperManifest,
  mergeDevice,
  placesOf,
} from "@penstock/model";
import type { Reader } from "./context.ts";
import { findRow, rowsNaming, specOf } from "./resource-rows.ts";

/** What a running change is about to store, in place of what is stored. */
export interface Instead {
  readonly connection?: ConnectionSpec;
  /** of every device that uses the model of this name */
  readonly model?: { readonly name: string; readonly spec: DeviceModelSpec };
}

/** What lies where on the lines of one tenant, as a change sees it. Each line is read once, then kept up with the change. */
export interface Lines {
  /** the places of a Connection's devices but for one, which is about to be checked and added */
  of(connection: string, spec: ConnectionSpec, except: string): Promise<LinePlaces>;
}

export function createLines(options: {
  readonly db: Reader;
  readonly tenant: string;
  readonly manifests: readonly MapperManifest[];
  readonly instead?: Instead | undefined;
}): Lines {
  const { db, tenant, manifests, instead } = options;
  const lines = new Map<string, LinePlaces>();
  const models = new Map<string, DeviceModelSpec | null>();
  if (instead?.model !== undefined) models.set(instead.model.name, instead.model.spec);

  async function modelOf(name: string | undefined): Promise<DeviceModelSpec | null> {
    if (name === undefined) return null;
    if (!models.has(name)) {
      const row = await findRow(db, tenant, "DeviceModel", name);
      models.set(name, row === undefined ? null : specOf<DeviceModelSpec>(row));
    }
    return models.get(name) ?? null;
  }
  return {
    async of(connection, spec, except) {
      let line = lines.get(connection);
      if (line === undefined) {
        line = new LinePlaces();
        lines.set(connection, line);
        const manifest = manifests.find((one) => one.name === spec.protocol);
        if (manifest !== undefined && manifest.extent !== null) {
          for (const row of await rowsNaming(db, tenant, "Device", "connection", connection)) {
            if (row.name === except) continue;
            const device = specOf<DeviceSpec>(row);
            const merged = mergeDevice(await modelOf(device.model), device);
            line.add(placesOf(row.name, merged, manifest, spec.settings));
          }
        }
      }
      // It may have been on another line before.
      for (const one of lines.values()) one.remove(except);
      return line;
    },
  };
}

const linesOfTrx = new WeakMap<Reader, Map<string, Lines>>();

/** The lines as one transaction sees them: a bulk change reads each line once, whatever the number of its devices. */
export function linesOf(trx: Reader, tenant: string, manifests: readonly MapperManifest[]): Lines {
  const ofTrx = linesOfTrx.get(trx) ?? new Map<string, Lines>();
  linesOfTrx.set(trx, ofTrx);
  const lines = ofTrx.get(tenant) ?? createLines({ db: trx, tenant, manifests });
  ofTrx.set(tenant, lines);
  return lines;
}

/** A device was deleted, or a connection or model changed: lines are read again when they are asked for. */
export function forgetLines(trx: Reader): void {
  linesOfTrx.delete(trx);
}
