import {
  type ConnectionSpec,
  type DeviceModelSpec,
  type DeviceSpec,
  LinePlaces,
  type MapperManifest,
  mergeDevice,
  type PlacedPoint,
  placesOf,
  stringifyExact,
} from "@penstock/model";
import type { Reader } from "./context.ts";
import { findRow, type Row, rowsMentioning, specOf } from "./resource-rows.ts";

/** What a running change is about to store, in place of what is stored. */
export interface Instead {
  readonly connection?: ConnectionSpec;
  /** of every device that uses the model of this name */
  readonly model?: { readonly name: string; readonly spec: DeviceModelSpec };
}

/** What lies where on the lines of one tenant, as a change sees it. Each line is read once, then kept up with the change. */
export interface Lines {
  /** the places of a Connection's devices but for one, which is about to be checked and added */
  of(line: {
    readonly name: string;
    readonly spec: ConnectionSpec;
    readonly manifests: readonly MapperManifest[];
    readonly except: string;
  }): Promise<LinePlaces>;
}

export function createLines(options: {
  readonly db: Reader;
  readonly tenant: string;
  readonly mappers: object;
  readonly instead?: Instead | undefined;
}): Lines {
  const { db, tenant, mappers, instead } = options;
  const known = knownPlaces(mappers);
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
    async of({ name: connection, spec, manifests, except }) {
      let line = lines.get(connection);
      if (line === undefined) {
        line = new LinePlaces();
        lines.set(connection, line);
        const manifest = manifests.find((one) => one.name === spec.protocol);
        if (manifest !== undefined && manifest.extent !== null) {
          const around = stringifyExact(spec.settings ?? {});
          for (const row of await rowsMentioning(db, tenant, "Device", "connection", connection)) {
            if (row.name === except) continue;
            line.add(await known.places({ row, connection, around, manifest, settings: spec.settings, modelOf }));
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
export function linesOf(trx: Reader, tenant: string, mappers: object): Lines {
  const ofTrx = linesOfTrx.get(trx) ?? new Map<string, Lines>();
  linesOfTrx.set(trx, ofTrx);
  const lines = ofTrx.get(tenant) ?? createLines({ db: trx, tenant, mappers });
  ofTrx.set(tenant, lines);
  return lines;
}

/** A device was deleted, or a connection or model changed: lines are read again when they are asked for. */
export function forgetLines(trx: Reader): void {
  linesOfTrx.delete(trx);
}

type ModelOf = (name: string | undefined) => Promise<DeviceModelSpec | null>;
interface Known {
  readonly spec: string;
  /** name of its Connection; an inline one is nobody else's line */
  readonly connection: string | null;
  readonly modelName: string | undefined;
  readonly model: string;
  readonly around: string;
  readonly manifest: MapperManifest;
  readonly points: readonly PlacedPoint[];
}
/** Points held, some 200 bytes each; beyond it all is worked out again. */
const pointsMost = 200_000;
/** by the mappers of one cloud */
const knownByMappers = new WeakMap<object, ReturnType<typeof createKnownPlaces>>();

function knownPlaces(mappers: object) {
  const known = knownByMappers.get(mappers) ?? createKnownPlaces();
  knownByMappers.set(mappers, known);
  return known;
}

/**
 * Parsing and merging each device of a line for each device that is stored on it would take its time squared. What is held
 * is taken only where the texts it was made of are the same, so a change that was rolled back leaves nothing wrong behind.
 */
function createKnownPlaces() {
  const devices = new Map<string, Known>();
  const modelTexts = new WeakMap<DeviceModelSpec, string>();
  let held = 0;

  function textOf(model: DeviceModelSpec | null): string {
    if (model === null) return "";
    const text = modelTexts.get(model) ?? stringifyExact(model);
    modelTexts.set(model, text);
    return text;
  }
  return {
    /** [] for a device that only mentions the name of the connection */
    async places(of: {
      readonly row: Row;
      readonly connection: string;
      /** what else the places follow from */
      readonly around: string;
      readonly manifest: MapperManifest;
      readonly settings: unknown;
      readonly modelOf: ModelOf;
    }): Promise<readonly PlacedPoint[]> {
      const { row, around, manifest, settings, modelOf } = of;
      const before = devices.get(row.uid);
      if (before?.spec === row.spec && before.around === around && before.manifest === manifest) {
        const isSame = before.model === textOf(await modelOf(before.modelName));
        if (isSame) return before.connection === of.connection ? before.points : [];
      }
      const spec = specOf<DeviceSpec>(row);
      const connection = typeof spec.connection === "string" ? spec.connection : null;
      const model = await modelOf(spec.model);
      const isHere = connection === of.connection;
      const points = isHere ? placesOf(row.name, mergeDevice(model, spec), manifest, settings) : [];
      held += points.length - (before?.points.length ?? 0);
      if (held > pointsMost) {
        devices.clear();
        held = points.length;
      }
      devices.set(row.uid, {
        spec: row.spec,
        connection,
        modelName: spec.model,
        model: textOf(model),
        around,
        manifest,
        points,
      });
      return points;
    },
  };
}
