import {
  type BusConsumer,
  type DeviceUid,
  type EffectiveDevice,
  forEachReading,
  type Reading,
  type ReadingBatch,
  traceId,
} from "@penstock/model";
import type { Log } from "@penstock/runtime";

const file = "edge/src/twin/reported.ts";
/** batches that may wait; the newest are kept, since only the last value of each property counts */
const bound = 1024;

export interface Reported {
  readonly consumer: BusConsumer;
  /** the newest reading of each property that has had one */
  of(device: DeviceUid): ReadonlyMap<string, Reading>;
  /** forgets devices and properties that are gone, and those of another type now */
  keep(lookup: (device: DeviceUid) => EffectiveDevice | null): void;
  /** moves the values forward by a batch that was on the bus in an earlier life */
  replay(batch: ReadingBatch): void;
  /** puts back what `all` gave in an earlier life; to be called before anything else is taken */
  restore(device: DeviceUid, values: readonly Held[]): void;
  all(): readonly (readonly [DeviceUid, ReadonlyMap<string, Held>])[];
}

export interface Held {
  readonly reading: Reading;
  /** its time was not trusted, so it may lie ahead of what follows */
  readonly uncertainClock: boolean;
}

/**
 * Last values by property, in memory; one moves only forward by the reading's own time, the later of two equal wins.
 *
 * @param options.onTaken called after each batch from the bus
 */
export function openReported(options: { readonly log: Log; readonly onTaken: () => void }): Reported {
  const { log, onTaken } = options;
  const devices = new Map<DeviceUid, Map<string, Held>>();
  const none: ReadonlyMap<string, Held> = new Map();

  function valuesOf(device: DeviceUid): Map<string, Held> {
    let held = devices.get(device);
    if (held === undefined) {
      held = new Map();
      devices.set(device, held);
    }
    return held;
  }

  function replay(batch: ReadingBatch): void {
    const held = valuesOf(batch.layout.device);
    const uncertainClock = batch.clock !== null;
    forEachReading(batch, (reading) => {
      const before = held.get(reading.property);
      const isNewer = before === undefined || before.uncertainClock || reading.time >= before.reading.time;
      if (isNewer) held.set(reading.property, { reading, uncertainClock });
    });
  }

  function take(batch: ReadingBatch): void {
    replay(batch);
    onTaken();
    if (log.tracing) log.trace({ file, id: traceId(batch), readings: batch.count }, "Reported values moved forward");
  }

  return {
    consumer: { name: "twin", bound, policy: "drop-oldest", take },
    of: (device) => new Map([...(devices.get(device) ?? none)].map(([property, { reading }]) => [property, reading])),
    keep(lookup) {
      for (const [uid, held] of devices) {
        const types = new Map(lookup(uid)?.properties.map(({ name, type }) => [name, type]));
        for (const [property, { reading }] of held) if (types.get(property) !== reading.type) held.delete(property);
        if (held.size === 0) devices.delete(uid);
      }
    },
    replay,
    restore(device, values) {
      const held = valuesOf(device);
      for (const value of values) held.set(value.reading.property, value);
    },
    all: () => [...devices],
  };
}
