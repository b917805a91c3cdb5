import {
  type CommittedBatch,
  type DeviceUid,
  type Epoch,
  forEachReading,
  type Micros,
  type Reading,
  type SeriesStore,
  type TenantUid,
} from "@penstock/model";
import { batchTimes } from "@penstock/wire";

interface Last {
  readonly reading: Reading;
  /** null: from the store, which does not say */
  readonly epoch: Epoch | null;
  readonly seq: number;
}
interface DeviceValues {
  readonly last: Map<string, Last>;
  /** committed since the last look; unpacked when somebody looks */
  waiting: Waiting[];
  /** properties whose stored newest is known here: without it an old reading could pass for the last one */
  readonly verified: Set<string>;
  /** readings in `last` and `waiting` */
  weight: number;
}
interface Waiting {
  readonly committed: CommittedBatch;
  readonly lowest: Micros;
  readonly highest: Micros;
}

/** Batches of one device that may wait unpacked; beyond it they are unpacked. Nothing is dropped. */
const waitingMost = 16;
/**
 * Readings held, some 200 bytes each once unpacked; beyond it the devices touched longest ago are forgotten, and read again
 * from the store when asked for.
 */
const readingsMost = 1_000_000;
/** Devices whose newest time is known without their values. */
const devicesMost = 200_000;

/**
 * The newest reading of each property, only forward by (time, seq). In memory, filled from commits as they come; what is
 * not known is read from the store, so a restart forgets nothing.
 */
export function createLastValues(series: Pick<SeriesStore, "latest">, mostReadings = readingsMost) {
  const devices = new Map<DeviceUid, DeviceValues>();
  const newest = new Map<DeviceUid, Micros>();
  /** questions to the store under way: a batch that comes meanwhile shares them */
  const asking = new Map<string, Promise<void>>();
  let held = 0;

  function at(device: DeviceUid): DeviceValues {
    const values = devices.get(device) ?? { last: new Map(), waiting: [], verified: new Set(), weight: 0 };
    // Map order is insertion order: setting again makes it the most recent.
    devices.delete(device);
    devices.set(device, values);
    return values;
  }
  /** Call when what is held of a device has changed. */
  function weigh(values: DeviceValues): void {
    const weight = values.waiting.reduce((sum, { committed }) => sum + committed.batch.count, values.last.size);
    held += weight - values.weight;
    values.weight = weight;
    while (held > mostReadings && devices.size > 1) remove(devices.keys().next().value!);
  }
  function remove(device: DeviceUid): void {
    held -= devices.get(device)?.weight ?? 0;
    devices.delete(device);
  }
  function seen(device: DeviceUid, time: Micros): void {
    const before = newest.get(device);
    if (before === undefined && newest.size >= devicesMost) newest.delete(newest.keys().next().value!);
    if (before === undefined || time > before) newest.set(device, time);
  }

  /** @returns true when it is the newest of its property now */
  function offer(values: DeviceValues, reading: Reading, epoch: Epoch | null, seq: number): boolean {
    const before = values.last.get(reading.property);
    if (before !== undefined) {
      if (reading.time < before.reading.time) return false;
      if (reading.time === before.reading.time && epoch === before.epoch && seq <= before.seq) return false;
    }
    values.last.set(reading.property, { reading, epoch, seq });
    return true;
  }

  function unpack(values: DeviceValues): void {
    for (const { committed } of values.waiting) {
      const { batch, epoch, firstSeq } = committed;
      forEachReading(batch, (reading, row) => void offer(values, reading, epoch, firstSeq + row));
    }
    values.waiting = [];
  }

  async function ask(tenant: TenantUid, device: DeviceUid, properties: readonly string[]): Promise<void> {
    const asked = at(device);
    const stored = await series.latest(
      tenant,
      properties.map((property) => ({ device, property })),
    );
    const values = at(device);
    unpack(values);
    for (const reading of stored) {
      const before = values.last.get(reading.property);
      // The store's and the commit's word on the same time are the same reading: the commit's knows its seq.
      if (before === undefined || reading.time > before.reading.time) offer(values, reading, null, 0);
      seen(device, reading.time);
    }
    // Forgotten meanwhile, what was committed after the store had answered went with it: it is asked again next time.
    if (values === asked) for (const property of properties) values.verified.add(property);
    weigh(values);
  }

  return {
    /** Takes a committed batch; cheap, because most are never looked at. */
    take(committed: CommittedBatch): void {
      const { device } = committed.batch.layout;
      const values = at(device);
      const next: Waiting = { committed, ...batchTimes(committed.batch) };
      seen(device, next.highest);
      const before = values.waiting.at(-1);
      if (before !== undefined && covers(next, before)) values.waiting.pop();
      values.waiting.push(next);
      if (values.waiting.length > waitingMost) unpack(values);
      weigh(values);
    },

    /** The readings of this batch that are the newest of their property now, in row order. */
    advance(committed: CommittedBatch): Reading[] {
      const { batch, epoch, firstSeq } = committed;
      const values = at(batch.layout.device);
      unpack(values);
      seen(batch.layout.device, batchTimes(batch).highest);
      const news: Reading[] = [];
      forEachReading(batch, (reading, row) => {
        if (offer(values, reading, epoch, firstSeq + row)) news.push(reading);
      });
      weigh(values);
      return news;
    },

    /** true: what is held of these properties cannot be older than the store */
    isVerified(device: DeviceUid, properties: Iterable<string>): boolean {
      const verified = devices.get(device)?.verified;
      return verified !== undefined && [...properties].every((property) => verified.has(property));
    },

    /** by property; asks the store only for what was never asked before */
    async get(tenant: TenantUid, device: DeviceUid, properties: Iterable<string>): Promise<Map<string, Reading>> {
      const wanted = [...properties];
      const missing = wanted.filter((property) => !at(device).verified.has(property));
      if (missing.length > 0) {
        const question = JSON.stringify([device, missing]);
        const running = asking.get(question) ?? ask(tenant, device, missing).finally(() => asking.delete(question));
        asking.set(question, running);
        await running;
      }
      const values = at(device);
      unpack(values);
      const found = new Map<string, Reading>();
      for (const property of wanted) {
        const last = values.last.get(property);
        if (last !== undefined) found.set(property, last.reading);
      }
      weigh(values);
      return found;
    },

    /** newest source time seen of the device; null when none is known here */
    lastTime(device: DeviceUid): Micros | null {
      return newest.get(device) ?? null;
    },
    forget(device: DeviceUid): void {
      remove(device);
      newest.delete(device);
    },
    /** readings held in memory */
    get held() {
      return held;
    },
  };
}

/** Every reading of `before` is older than its successor in `after`, so that only `after` need be kept. */
function covers(after: Waiting, before: Waiting): boolean {
  const [one, other] = [after.committed, before.committed];
  if (one.batch.index !== null || one.batch.layout !== other.batch.layout || one.epoch !== other.epoch) return false;
  if (after.lowest > before.highest) return true;
  return after.lowest === after.highest && after.lowest === before.highest && one.firstSeq > other.firstSeq;
}
