import type { AppendFile, Files, Random, ReadFile } from "@penstock/runtime";

/** One operation on the disk is about to happen; the simulator decides when, and may crash before. */
export type Step = (name: string, path: string) => Promise<void>;

export interface SimDiskOptions {
  readonly random: Random;
  /** default: at once */
  readonly step?: Step;
  /** bytes of the whole disk; appends beyond it fail with ENOSPC after a part; default: no limit */
  readonly capacity?: number;
}

/** A disk in memory that keeps only what was synced, and of the rest what chance leaves. */
export interface SimDisk {
  /** the disk as the running process sees it; after `crash()` calls on it never settle, like a dead process's */
  readonly files: Files;
  /** the power goes: what was not synced is lost, kept in part or turned to garbage; `files` is then a new port */
  crash(): void;
  /** the process is killed: the system still has all that was written; faults not yet struck are forgotten, as in `crash` */
  kill(): void;
  /** a backup, as a snapshot of the file system takes it: all that is written at this moment */
  copy(): DiskCopy;
  /** a backup is put back onto a new disk, all of it durable; whatever came after the copy is gone. As after `crash` */
  restore(copy: DiskCopy): void;
  capacity: number;
  /** the next operation of that kind on a path that contains `path` fails with the code */
  failNext(
    operation: "append" | "sync" | "open" | "rename" | "truncate" | "syncFolder",
    path: string,
    code: string,
  ): void;
  readonly used: number;
  /** turns a byte of a file over, durable or not, as a bad sector does */
  flip(path: string, at: number): void;
  /** what has been done so far, by name, for the coverage of a simulation */
  readonly counts: ReadonlyMap<string, number>;
}

/** content of files by path */
export type DiskCopy = ReadonlyMap<string, Uint8Array>;

interface Inode {
  bytes: Uint8Array;
  length: number;
  /** content after the last successful sync, in its first `durableLength` bytes */
  durable: Uint8Array;
  durableLength: number;
  /** lowest length since the last sync: up to there nothing was cut */
  shortest: number;
  /** where a failed sync left pages that the system calls clean and the disk never had */
  lost: [from: number, to: number] | null;
}
type Change = (names: Map<string, Inode>) => void;

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: "${path}" on the simulated disk`), { code });
}
const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

function grow(inode: Inode, bytes: Uint8Array): void {
  if (inode.length + bytes.length > inode.bytes.length) {
    const larger = new Uint8Array(Math.max(1024, (inode.length + bytes.length) * 2));
    larger.set(inode.bytes.subarray(0, inode.length));
    inode.bytes = larger;
  }
  inode.bytes.set(bytes, inode.length);
  inode.length += bytes.length;
}

function newInode(content: Uint8Array): Inode {
  return {
    ...{ bytes: content, length: content.length, shortest: content.length },
    ...{ durable: content.slice(), durableLength: content.length, lost: null },
  };
}

/** Up to `covered`, the disk has what was written: only what changed since the last sync is copied. */
function makeDurable(inode: Inode, covered: number): void {
  const to = Math.min(covered, inode.length);
  const from = Math.min(inode.shortest, inode.durableLength, to);
  if (to > inode.durable.length) {
    const larger = new Uint8Array(inode.bytes.length);
    larger.set(inode.durable.subarray(0, from));
    inode.durable = larger;
  }
  inode.durable.set(inode.bytes.subarray(from, to), from);
  inode.durableLength = to;
  if (inode.lost !== null) inode.durable.fill(0, Math.min(inode.lost[0], to), Math.min(inode.lost[1], to));
  inode.shortest = inode.length;
}

export function simDisk(options: SimDiskOptions): SimDisk {
  const { random, step = () => Promise.resolve() } = options;
  let names = new Map<string, Inode>();
  let durableNames = new Map<string, Inode>();
  /** changes of names since the last sync of their folder, in order */
  let pending = new Map<string, Change[]>();
  let faults: { operation: string; path: string; code: string }[] = [];
  const counts = new Map<string, number>();
  let capacity = options.capacity ?? Number.POSITIVE_INFINITY;
  let files = portOf();

  const used = () => [...new Set(names.values())].reduce((sum, inode) => sum + inode.length, 0);
  const below = (most: number) => Math.floor(random.number() * (most + 1));

  function rename(folder: string, change: Change): void {
    change(names);
    const list = pending.get(folder) ?? [];
    list.push(change);
    pending.set(folder, list);
  }

  /** What the platters hold of a file that was written since its last sync. */
  function afterCrash(inode: Inode): Uint8Array {
    const written = inode.bytes.subarray(0, inode.length);
    // A cut below the durable length may or may not have reached the disk.
    const wasCut = inode.shortest < inode.durableLength;
    if (wasCut && random.number() < 0.5) return inode.durable.slice(0, inode.durableLength);
    const base = wasCut ? inode.shortest : inode.durableLength;
    const keep = base + below(written.length - base);
    const kept = written.slice(0, keep);
    if (random.number() < 0.5) return kept;
    // The length reached the disk before the data: zeros, or what the blocks held before.
    const isZero = random.number() < 0.5;
    const tail = new Uint8Array(below(written.length - keep)).map(() => (isZero ? 0 : below(255)));
    const whole = new Uint8Array(keep + tail.length);
    whole.set(kept);
    whole.set(tail, keep);
    return whole;
  }

  function portOf(): Files {
    let isDead = false;
    const port = async <T>(name: string, path: string, act: (isFaulty: boolean) => T): Promise<T> => {
      if (isDead || files !== own) return new Promise<T>(() => {});
      await step(name, path);
      isDead ||= files !== own;
      if (isDead) return new Promise<T>(() => {});
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const fault =
        faults.length === 0 ? undefined : faults.find((one) => one.operation === name && path.includes(one.path));
      if (fault === undefined) return act(false);
      faults = faults.filter((one) => one !== fault);
      // Only these leave a trace when they fail.
      if (name === "append" || name === "sync") act(true);
      throw systemError(fault.code, path);
    };
    const inodeOf = (path: string): Inode => {
      const inode = names.get(path);
      if (inode === undefined) throw systemError("ENOENT", path);
      return inode;
    };

    function appendFile(path: string, inode: Inode): AppendFile {
      return {
        path,
        get length() {
          return inode.length;
        },
        append: (bytes) =>
          port("append", path, (isFaulty) => {
            for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
              const room = capacity === Number.POSITIVE_INFINITY ? capacity : capacity - used();
              grow(inode, part.subarray(0, Math.max(0, room)));
              if (room < part.length) throw systemError("ENOSPC", path);
              if (isFaulty) return;
            }
          }),
        sync: async () => {
          // What is appended while the sync is on its way need not be covered by it.
          const covered = inode.length;
          await port("sync", path, (isFaulty) => {
            if (isFaulty) {
              inode.lost = [inode.lost?.[0] ?? inode.durableLength, inode.length];
              return;
            }
            makeDurable(inode, covered);
          });
        },
        close: () => port("close", path, () => {}),
      };
    }
    function readFile(path: string, inode: Inode): ReadFile {
      return {
        read: (at, length) =>
          port("read", path, () => inode.bytes.slice(Math.min(at, inode.length), Math.min(at + length, inode.length))),
        size: () => port("size", path, () => inode.length),
        close: () => port("close", path, () => {}),
      };
    }

    const own: Files = {
      makeFolder: (path) => port("makeFolder", path, () => {}),
      list: (folder) =>
        port("list", folder, () =>
          [...names.keys()].filter((path) => parentOf(path) === folder).map((path) => path.slice(folder.length + 1)),
        ),
      exists: (path) => port("exists", path, () => names.has(path)),
      readAll: (path) => port("readAll", path, () => inodeOf(path).bytes.slice(0, inodeOf(path).length)),
      // One user's disk: nobody else is there to read.
      mode: (path) =>
        port("mode", path, () => {
          inodeOf(path);
          return 0o600;
        }),
      openAppend: (path) =>
        port("open", path, () => {
          if (!names.has(path)) {
            const made = newInode(new Uint8Array(0));
            rename(parentOf(path), (map) => map.set(path, made));
          }
          return appendFile(path, inodeOf(path));
        }),
      openRead: (path) => port("open", path, () => readFile(path, inodeOf(path))),
      truncate: (path, length) =>
        port("truncate", path, () => {
          const inode = inodeOf(path);
          inode.length = Math.min(inode.length, length);
          inode.shortest = Math.min(inode.shortest, inode.length);
        }),
      rename: (from, to) =>
        port("rename", to, () => {
          const inode = inodeOf(from);
          rename(parentOf(to), (map) => {
            map.delete(from);
            map.set(to, inode);
          });
        }),
      remove: (path) =>
        port("remove", path, () => {
          inodeOf(path);
          rename(parentOf(path), (map) => map.delete(path));
        }),
      syncFolder: (folder) =>
        port("syncFolder", folder, () => {
          for (const change of pending.get(folder) ?? []) change(durableNames);
          pending.delete(folder);
        }),
      free: (folder) => port("free", folder, () => Math.max(0, capacity - used())),
    };
    return own;
  }

  return {
    get files() {
      return files;
    },
    get capacity() {
      return capacity;
    },
    set capacity(bytes) {
      capacity = bytes;
    },
    get used() {
      return used();
    },
    counts,
    crash: () => {
      // A folder's changes reach the disk in their order, so what is kept is a beginning of them.
      for (const changes of pending.values()) {
        for (const change of changes.slice(0, below(changes.length))) change(durableNames);
      }
      pending = new Map();
      names = new Map();
      const settled = new Map<Inode, Inode>();
      for (const [path, inode] of durableNames) {
        const now = settled.get(inode) ?? newInode(afterCrash(inode));
        settled.set(inode, now);
        names.set(path, now);
      }
      durableNames = new Map(names);
      faults = [];
      files = portOf();
    },
    kill: () => {
      faults = [];
      files = portOf();
    },
    copy: () => new Map([...names].map(([path, { bytes, length }]) => [path, bytes.slice(0, length)])),
    restore: (copy) => {
      names = new Map([...copy].map(([path, content]) => [path, newInode(content.slice())]));
      durableNames = new Map(names);
      pending = new Map();
      faults = [];
      files = portOf();
    },
    failNext: (operation, path, code) => {
      faults.push({ operation, path, code });
    },
    flip: (path, at) => {
      const inode = names.get(path);
      if (inode === undefined) throw systemError("ENOENT", path);
      inode.bytes[at]! ^= 0xff;
      if (at < inode.durableLength) inode.durable[at]! ^= 0xff;
    },
  };
}
