import type { Layout } from "@penstock/model";
import { type AppendFile, type Files, frameRecord, scanRecords } from "@penstock/runtime";
import { decodeRecord, encodeHead, encodeLayoutRecord, type InputRecord } from "./input-record.ts";

/** What is written of one position. */
export interface Placed {
  readonly position: number;
  /** of a batch; null: it needs none */
  readonly layout: Layout | null;
  /** @param layout number of the layout in its file */
  encode(layout: number): Uint8Array;
}

interface Segment {
  readonly path: string;
  first: number;
  last: number;
  bytes: number;
}

/** The rules' inputs on disk, in files of their own that go when a checkpoint has them. */
export interface InputJournal {
  /** resolves when all of them are on disk; on failure none counts, and the next begins another file */
  write(group: readonly Placed[]): Promise<void>;
  /** What stands up to there is not needed any more. @returns how many positions went */
  dropTo(position: number): Promise<number>;
  /** The oldest file goes, needed or not. @returns how many positions went; 0: there is but the one that is written to */
  dropOldest(): Promise<number>;
  readonly bytes: number;
  close(): Promise<void>;
}

export interface FoundInputs {
  readonly journal: InputJournal;
  /** of the last entry that was found; 0: none */
  readonly last: number;
  /** Every entry in order, after a position. @param each is told a hole as null; it is waited for */
  read(after: number, each: (position: number, record: InputRecord | null) => void | Promise<void>): Promise<void>;
}

/** Read in one turn: others have theirs between. */
const readBytes = 64 * 1024;
const suffix = ".inputs";
const pattern = /^(\d{12})\.inputs$/;

/**
 * Opens the folder's files. Nothing is appended to a file of an earlier process: what ends one half written ends it for good.
 *
 * @param rollBytes a longer file is not gone on with
 */
export async function openInputJournal(options: {
  readonly files: Files;
  readonly folder: string;
  readonly rollBytes: number;
}): Promise<FoundInputs> {
  const { files, folder, rollBytes } = options;
  const names = (await files.list(folder)).filter((name) => pattern.test(name)).sort();
  let ordinal = Number(pattern.exec(names.at(-1) ?? "")?.[1] ?? 0);
  let segments: Segment[] = [];
  let last = 0;
  for (const name of names) {
    const segment = await scan(`${folder}/${name}`, last, () => {});
    segments.push(segment);
    last = Math.max(last, segment.last);
  }
  // What a process that was killed has written may not be on the disk yet, and outputs of it are about to go.
  for (const { path } of segments) {
    const file = await files.openAppend(path);
    await file.sync().finally(() => file.close());
  }
  let open: { readonly file: AppendFile; readonly segment: Segment; readonly layouts: Map<Layout, number> } | null =
    null;

  async function scan(path: string, after: number, each: (at: number, one: InputRecord) => void): Promise<Segment> {
    const layouts = new Map<number, Layout>();
    const file = await files.openRead(path);
    const segment: Segment = { path, first: after + 1, last: after, bytes: await file.size() };
    let next = after + 1;
    try {
      await scanRecords({
        file,
        to: segment.bytes,
        chunkBytes: readBytes,
        each: (payload) => {
          const record = decodeRecord(payload, layouts);
          if (record.t === "head") {
            next = record.first;
            Object.assign(segment, { first: next, last: next - 1 });
          } else if (record.t === "layout") layouts.set(record.number, record.layout);
          else {
            each(next, record);
            segment.last = next;
            next++;
          }
          return true;
        },
      });
    } finally {
      await file.close();
    }
    return segment;
  }

  async function begin(first: number): Promise<NonNullable<typeof open>> {
    ordinal++;
    const path = `${folder}/${String(ordinal).padStart(12, "0")}${suffix}`;
    const file = await files.openAppend(path);
    try {
      await file.append(frameRecord([encodeHead(first)]));
      await file.sync();
      await files.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => {});
      await files.remove(path).catch(() => {});
      throw error;
    }
    const segment = { path, first, last: first - 1, bytes: file.length };
    segments.push(segment);
    open = { file, segment, layouts: new Map() };
    return open;
  }

  async function leave(): Promise<void> {
    const before = open;
    open = null;
    await before?.file.close().catch(() => {});
  }

  async function remove(gone: readonly Segment[]): Promise<number> {
    let count = 0;
    for (const segment of gone) {
      if (open?.segment === segment) await leave();
      await files.remove(segment.path);
      segments = segments.filter((one) => one !== segment);
      count += Math.max(0, segment.last - segment.first + 1);
    }
    return count;
  }

  return {
    last,
    async read(after, each) {
      let reached = after;
      for (const segment of [...segments]) {
        const found: [at: number, record: InputRecord][] = [];
        await scan(segment.path, reached, (at, record) => void found.push([at, record]));
        for (const [at, record] of found) {
          // A group that failed and was written again stands twice.
          if (at <= reached) continue;
          if (at > reached + 1) await each(at, null);
          reached = at;
          await each(at, record);
        }
      }
    },
    journal: {
      get bytes() {
        return segments.reduce((sum, segment) => sum + segment.bytes, 0);
      },
      async write(group) {
        const to = open ?? (await begin(group[0]!.position));
        const parts: Uint8Array[] = [];
        const added = new Map(to.layouts);
        for (const { layout, encode } of group) {
          let number = 0;
          if (layout !== null) {
            const known = added.get(layout);
            number = known ?? added.size + 1;
            if (known === undefined) {
              added.set(layout, number);
              parts.push(...frameRecord([encodeLayoutRecord(number, layout)]));
            }
          }
          parts.push(...frameRecord([encode(number)]));
        }
        try {
          await to.file.append(parts);
          await to.file.sync();
        } catch (error) {
          // Half of it may stand there, and after a failed sync the next may lie: this file is not gone on with.
          await leave();
          throw error;
        }
        for (const [layout, number] of added) to.layouts.set(layout, number);
        to.segment.last = group.at(-1)!.position;
        to.segment.bytes = to.file.length;
        if (to.segment.bytes >= rollBytes) await leave();
      },
      async dropTo(position) {
        return remove(
          segments.filter((one) => one.last <= position && (one !== open?.segment || one.bytes >= rollBytes)),
        );
      },
      async dropOldest() {
        const [oldest] = segments;
        return oldest === undefined || oldest === open?.segment ? 0 : remove([oldest]);
      },
      close: leave,
    },
  };
}
