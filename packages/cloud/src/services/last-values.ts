import {
  type CommittedBatch,
  type DeviceUid,
  type Epoch,
  forEachReading,
  type Micros,
  type Reading,
  type ReadingBatch,
  type SeriesStore,
  type TenantUid,
} from "@penstock/model";

interface Last {
  readonly reading: Reading;
  /** null: from the store, which does not say */
  readonly epoch: Epoch | null;
  readonly seq: number;
}
interface DeviceValues {
  readonly last: Map<string, Last>;
  /** committed since the last look; unpacked when somebody looks */
  waiting: CommittedBatch[];
  /** properties whose stored newest is known here: without it an old reading could pass for the last one */
  readonly verified: Set<string>;
  newest: Micros | null;
}

/** Batches of one device that may wait unpacked; beyond it they are unpacked. Nothing is dropped. */
const waitingMost = 16;
/** Devices held; beyond it the least recently touched is forgotten and read again from the store when asked for. */
const devicesMost = 50_000;

/**
 * The newest reading of each property, only forward by (time, seq). In memory, filled from commits as they come; what is
 * not known is read from the store, so a restart forgets nothing.
 */
export function createLastValues(series: SeriesStore) {
  const devices = new Map<DeviceUid, DeviceValues>();

  function at(device: DeviceUid): DeviceValues {
    let values = devices.get(device);
    if (values === undefined) {
      values = { last: new Map(), waiting: [], verified: new Set(), newest: null };
      if (devices.size >= devicesMost) devices.delete(devices.keys().next().value!);
    } else devices.delete(device);
    // Map order is insertion order: setting again makes it the most recent.
    devices.set(device, values);
    return values;
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
    for (const { batch, epoch, firstSeq } of values.waiting) {
      forEachReading(batch, (reading, row) => void offer(values, reading, epoch, firstSeq + row));
    }
    values.waiting = [];
  }

  return {
    /** Takes a committed batch; cheap, because most are never looked at. */
    take(committed: CommittedBatch): void {
      const values = at(committed.batch.layout.device);
      const last = newestTime(committed.batch);
      if (values.newest === null || last > values.newest) values.newest = last;
      const before = values.waiting.at(-1);
      if (before !== undefined && covers(committed, before)) values.waiting.pop();
      values.waiting.push(committed);
      if (values.waiting.length > waitingMost) unpack(values);
    },

    /** The readings of this batch that are the newest of their property now, in row order. */
    advance(committed: CommittedBatch): Reading[] {
      const values = at(committed.batch.layout.device);
      unpack(values);
      const { batch, epoch, firstSeq } = committed;
      const last = newestTime(batch);
      if (values.newest === null || last > values.newest) values.newest = last;
      const news: Reading[] = [];
      forEachReading(batch, (reading, row) => {
        if (offer(values, reading, epoch, firstSeq + row)) news.push(reading);
      });
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
        const stored = await series.latest(
          tenant,
          missing.map((property) => ({ device, property })),
        );
        const values = at(device);
        unpack(values);
        for (const reading of stored) {
          const before = values.last.get(reading.property);
          // The store's and the commit's word on the same time are the same reading: the commit's knows its seq.
          if (before === undefined || reading.time > before.reading.time) offer(values, reading, null, 0);
          if (values.newest === null || reading.time > values.newest) values.newest = reading.time;
        }
        for (const property of missing) values.verified.add(property);
      }
      const values = at(device);
      unpack(values);
      const found = new Map<string, Reading>();
      for (const property of wanted) {
        const last = values.last.get(property);
        if (last !== undefined) found.set(property, last.reading);
      }
      return found;
    },

    /** newest source time seen of the device; null when none is known here */
    lastTime(device: DeviceUid): Micros | null {
      return devices.get(device)?.newest ?? null;
    },
    forget(device: DeviceUid): void {
      devices.delete(device);
    },
  };
}

function newestTime(batch: ReadingBatch): Micros {
  let most = 0;
  if (batch.offsets !== null) for (const offset of batch.offsets) if (offset > most) most = offset;
  return (batch.baseTime + most) as Micros;
}

/** Every reading of `before` is older than its successor in `after`, so that only `after` need be kept. */
function covers(after: CommittedBatch, before: CommittedBatch): boolean {
  return (
    after.batch.index === null &&
    after.batch.offsets === null &&
    before.batch.offsets === null &&
    after.batch.layout === before.batch.layout &&
    after.epoch === before.epoch &&
    (after.batch.baseTime > before.batch.baseTime ||
      (after.batch.baseTime === before.batch.baseTime && after.firstSeq > before.firstSeq))
  );
}
