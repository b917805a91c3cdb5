import {
  type BusConsumer,
  type DeviceUid,
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
  /** forgets devices that are gone */
  keep(isKnown: (device: DeviceUid) => boolean): void;
}

interface Held {
  readonly reading: Reading;
  /** its time was not trusted, so it may lie ahead of what follows */
  readonly uncertainClock: boolean;
}

/** Last values by property, in memory; one moves only forward by the reading's own time, the later of two equal wins. */
export function openReported(log: Log): Reported {
  const devices = new Map<DeviceUid, Map<string, Held>>();
  const none: ReadonlyMap<string, Held> = new Map();

  function take(batch: ReadingBatch): void {
    const { device } = batch.layout;
    let held = devices.get(device);
    if (held === undefined) {
      held = new Map();
      devices.set(device, held);
    }
    const uncertainClock = batch.clock !== null;
    const into = held;
    forEachReading(batch, (reading) => {
      const before = into.get(reading.property);
      const isNewer = before === undefined || before.uncertainClock || reading.time >= before.reading.time;
      if (isNewer) into.set(reading.property, { reading, uncertainClock });
    });
    if (log.tracing) log.trace({ file, id: traceId(batch), readings: batch.count }, "Reported values moved forward");
  }

  return {
    consumer: { name: "twin", bound, policy: "drop-oldest", take },
    of: (device) => new Map([...(devices.get(device) ?? none)].map(([property, { reading }]) => [property, reading])),
    keep(isKnown) {
      for (const device of devices.keys()) if (!isKnown(device)) devices.delete(device);
    },
  };
}
