import { missingFrom, type Ranges } from "@penstock/model";
import { type AppendFile, type Files, frameRecord, makeDurableFolder, openJournal } from "@penstock/runtime";
import {
  type CacheSegment,
  isPassed,
  leftOf,
  ordinalOf,
  pass,
  readSegment,
  recordParts,
  recoverSegment,
  segmentNameOf,
} from "./cache-segment.ts";

export interface ResultCacheOptions {
  readonly files: Files;
  /** its own */
  readonly folder: string;
  /** on disk at most; beyond, whole files go, the oldest first */
  readonly bytes: number;
  /** a file whose end cannot be read: what stood there is lost */
  onDamage(path: string, reason: string): void;
}
export interface CacheRecord {
  readonly rows: number;
  readonly bytes: Uint8Array;
}
export interface CachedRecord extends CacheRecord {
  readonly key: CacheKey;
}
export interface CacheKey {
  readonly segment: number;
  readonly at: number;
  readonly rows: number;
}
export interface Appended {
  /** of the records, in their order */
  readonly keys: readonly CacheKey[];
  /** rows that had to go to make room */
  readonly cutRows: number;
}

/**
 * What waits on disk until its peer can be reached. What `append` resolved for is there after a power cut; what was
 * removed may come again after one, since its place is written down only now and then.
 */
export interface ResultCache {
  /** not removed yet */
  readonly records: number;
  readonly bytes: number;
  /** larger ones can never be kept */
  readonly recordBytesMax: number;
  /** Resolves after fdatasync. @throws the system's error; then some of them may be there all the same */
  append(records: readonly CacheRecord[]): Promise<Appended>;
  /** The first or the last that is there. It stays until it is removed. */
  next(order: "oldest-first" | "newest-first"): Promise<CachedRecord | null>;
  /** Resolves at once, mostly; done for what is gone already. */
  remove(key: CacheKey): Promise<void>;
  /** resolves when what was removed is written down */
  close(): Promise<void>;
}

/** Places of records that are done with, by segment. */
type Places = Readonly<Record<string, Ranges>>;
type PlaceEntry = { readonly segment: number; readonly passed: Ranges } | { readonly gone: number };
function applyPlace(places: Places, entry: PlaceEntry): Places {
  if ("passed" in entry) return { ...places, [entry.segment]: entry.passed };
  const { [entry.gone]: _, ...rest } = places;
  return rest;
}

const segmentBytesMost = 1024 * 1024;
/** a cut repeats so many at most */
const placeEvery = 32;

/** @throws AppError data/…: the folder cannot be used */
export async function openResultCache(options: ResultCacheOptions): Promise<ResultCache> {
  const { files, folder, bytes: bound } = options;
  await makeDurableFolder(files, folder);
  const places = await openJournal<Places, PlaceEntry>({
    ...{ files, folder: `${folder}/places`, initial: {}, apply: applyPlace, logBytes: 64 * 1024 },
  });
  const segmentBytes = Math.min(segmentBytesMost, Math.floor(bound / 8));
  /** in the order in which they were begun; none is empty but the one that is written to */
  let segments: CacheSegment[] = [];
  let writing: AppendFile | null = null;
  let loaded: { readonly of: CacheSegment; readonly bytes: number; readonly records: readonly CacheRecord[] } | null =
    null;
  let removed = 0;
  let turn: Promise<unknown> = Promise.resolve();
  /** One at a time: nobody reads a file while it is cut away. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };

  const ordinals = (await files.list(folder)).map(ordinalOf).filter((one) => one !== null);
  for (const ordinal of ordinals.sort((a, b) => a - b)) {
    const path = `${folder}/${segmentNameOf(ordinal)}`;
    const found = await recoverSegment(files, { ordinal, path, passed: places.state[ordinal] ?? [] });
    if (found.damage !== null) options.onDamage(path, found.damage);
    if (leftOf(found.segment) > 0) segments.push(found.segment);
    else await files.remove(path);
  }
  for (const known of Object.keys(places.state)) {
    if (!segments.some(({ ordinal }) => ordinal === Number(known))) await places.append({ gone: Number(known) });
  }
  let nextOrdinal = 1 + Math.max(0, ...ordinals, ...Object.keys(places.state).map(Number));

  const sizeOfAll = () => segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const current = () => (writing === null ? undefined : segments[segments.length - 1]);

  async function seal(): Promise<void> {
    const file = writing;
    writing = null;
    await file?.close();
    // One that was begun and never got anything.
    for (const one of segments.filter(({ records }) => records === 0)) await drop(one);
  }
  async function begin(): Promise<void> {
    const ordinal = nextOrdinal++;
    const path = `${folder}/${segmentNameOf(ordinal)}`;
    writing = await files.openAppend(path);
    segments.push({ ordinal, path, bytes: 0, records: 0, rowsLeft: 0, passed: [] });
    await files.syncFolder(folder);
  }
  async function drop(segment: CacheSegment): Promise<void> {
    segments = segments.filter((one) => one !== segment);
    if (loaded?.of === segment) loaded = null;
    try {
      await files.remove(segment.path);
      await files.syncFolder(folder);
      if (places.state[segment.ordinal] !== undefined) await places.append({ gone: segment.ordinal });
    } catch {
      // What could not be removed now comes again after the next start.
    }
  }
  async function write(records: readonly CacheRecord[]): Promise<readonly CacheKey[]> {
    try {
      if ((current()?.bytes ?? segmentBytes) >= segmentBytes) {
        await seal();
        await begin();
      }
      await writing!.append(records.flatMap(({ rows, bytes }) => frameRecord(recordParts(rows, bytes))));
      await writing!.sync();
    } catch (error) {
      // Half a record may stand there, and the next sync may lie: this file gets nothing more.
      await seal().catch(() => {});
      throw error;
    }
    const segment = current()!;
    const keys = records.map(({ rows }, i) => ({ segment: segment.ordinal, at: segment.records + i, rows }));
    segment.bytes = writing!.length;
    segment.records += records.length;
    segment.rowsLeft += records.reduce((sum, { rows }) => sum + rows, 0);
    return keys;
  }
  async function makeRoom(): Promise<number> {
    let rows = 0;
    while (sizeOfAll() > bound && segments.length > 1) {
      rows += segments[0]!.rowsLeft;
      await drop(segments[0]!);
    }
    return rows;
  }
  async function writeDown(): Promise<void> {
    removed = 0;
    for (const { ordinal, passed } of segments) {
      const known = places.state[ordinal] ?? [];
      if (JSON.stringify(known) === JSON.stringify(passed)) continue;
      await places.append({ segment: ordinal, passed }).catch(() => {});
    }
  }

  return {
    get records() {
      return segments.reduce((sum, one) => sum + leftOf(one), 0);
    },
    get bytes() {
      return sizeOfAll();
    },
    recordBytesMax: Math.floor(bound / 2),
    append: (records) =>
      inTurn(async () => {
        const keys: CacheKey[] = [];
        let cutRows = 0;
        for (const group of groupsOf(records, segmentBytes)) {
          keys.push(...(await write(group)));
          cutRows += await makeRoom();
        }
        return { keys, cutRows };
      }),
    next: (order) =>
      inTurn(async () => {
        const isNewest = order === "newest-first";
        const segment = isNewest
          ? segments.findLast((one) => leftOf(one) > 0)
          : segments.find((one) => leftOf(one) > 0);
        if (segment === undefined) return null;
        if (loaded?.of !== segment || loaded.bytes !== segment.bytes)
          loaded = { of: segment, bytes: segment.bytes, records: await readSegment(files, segment) };
        const left = missingFrom(segment.passed, 0, segment.records - 1);
        const at = isNewest ? left[left.length - 1]![1] : left[0]![0];
        const record = loaded.records[at]!;
        return { ...record, key: { segment: segment.ordinal, at, rows: record.rows } };
      }),
    remove: ({ segment: ordinal, at, rows }) =>
      inTurn(async () => {
        const segment = segments.find((one) => one.ordinal === ordinal);
        if (segment === undefined || isPassed(segment, at)) return;
        segment.rowsLeft -= rows;
        pass(segment, at);
        if (leftOf(segment) === 0) {
          if (segment === current()) await seal();
          await drop(segment);
        } else if (++removed >= placeEvery) await writeDown();
      }),
    close: () =>
      inTurn(async () => {
        await seal();
        await writeDown();
        await places.close();
      }),
  };
}

/** In their order; none is larger than `bytes` but by one record. */
function groupsOf(records: readonly CacheRecord[], bytes: number): readonly (readonly CacheRecord[])[] {
  const groups: CacheRecord[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    if (size >= bytes) {
      groups.push([]);
      size = 0;
    }
    groups[groups.length - 1]!.push(record);
    size += record.bytes.length;
  }
  return groups;
}
