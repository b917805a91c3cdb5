import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  statfs,
  truncate,
  unlink,
} from "node:fs/promises";
import type { AppendFile, Files, ReadFile } from "./files.ts";
import type { SyncWitness } from "./witness.ts";

export interface RealFilesOptions {
  /** for the fault kit's power cut; see witness.ts */
  readonly witness?: SyncWitness;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

async function writeAll(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  let rest = parts.filter((part) => part.length > 0);
  while (rest.length > 0) {
    // IOV_MAX is 1024 on Linux; writev may also take only a part.
    let { bytesWritten } = await handle.writev(rest.slice(0, 1024));
    let whole = 0;
    while (whole < rest.length && bytesWritten >= rest[whole]!.length) bytesWritten -= rest[whole++]!.length;
    rest = rest.slice(whole);
    if (bytesWritten > 0) rest[0] = rest[0]!.subarray(bytesWritten);
  }
}

/** The Files port on node:fs. Nothing here blocks the main thread. */
export function realFiles(options: RealFilesOptions = {}): Files {
  const { witness } = options;
  // Only kept for the witness, so that a file that was synced and then renamed is known under its new name.
  const synced = new Map<string, number>();
  const noteSynced = (path: string, length: number) => {
    if (witness === undefined) return;
    synced.set(path, length);
    witness(path, length);
  };

  async function openAppend(path: string, options: { readonly isSecret?: boolean } = {}): Promise<AppendFile> {
    const handle = await open(path, "a", options.isSecret === true ? 0o600 : 0o666);
    let length = (await handle.stat()).size;
    return {
      path,
      get length() {
        return length;
      },
      append: async (bytes) => {
        const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
        try {
          await writeAll(handle, parts);
          for (const part of parts) length += part.length;
        } catch (error) {
          length = (await handle.stat()).size;
          throw error;
        }
      },
      sync: async () => {
        const covered = length;
        await handle.datasync();
        noteSynced(path, covered);
      },
      close: () => handle.close(),
    };
  }

  async function openRead(path: string): Promise<ReadFile> {
    const handle = await open(path, "r");
    return {
      read: async (at, length) => {
        // Not zeroed first: only what the disk filled is handed out.
        const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, at + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      },
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    };
  }

  return {
    // Keys, password hashes and readings stand below: nobody else on the machine has business there.
    makeFolder: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o700 });
    },
    list: (folder) =>
      readdir(folder).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      }),
    exists: (path) =>
      stat(path).then(
        () => true,
        (error: unknown) => {
          // Below a file there is nothing.
          if (isMissing(error) || (error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
          throw error;
        },
      ),
    readAll: async (path) => new Uint8Array(await readFile(path)),
    // Windows has no such bits: who may read is a list of the folder's.
    mode: async (path) => (process.platform === "win32" ? 0o600 : (await stat(path)).mode & 0o7777),
    openAppend,
    openRead,
    truncate,
    rename: async (from, to) => {
      await rename(from, to);
      const length = synced.get(from);
      if (length === undefined) return;
      synced.delete(from);
      noteSynced(to, length);
    },
    remove: async (path) => {
      await unlink(path);
      synced.delete(path);
    },
    syncFolder: async (folder) => {
      const handle = await open(folder, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    free: async (folder) => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}
