import { AppError } from "@penstock/model";
import { lockFolder } from "./data-folder-lock.ts";
import type { Files } from "./files.ts";

export interface DataFolderOptions {
  readonly files: Files;
  readonly path: string;
  /** format of what is in the folder; grows by one with each change that an older program cannot read */
  readonly version: number;
  /** "edge", "cloud": who writes here, so that one is not started on the other's folder */
  readonly program: string;
}
export interface DataFolder {
  readonly path: string;
  /** true when there was nothing here before */
  readonly isNew: boolean;
  /** gives the lock back; it also ends with the process, however that ends */
  close(): Promise<void>;
}

/** Makes a folder whose name survives a power cut. */
export async function makeDurableFolder(files: Files, path: string): Promise<void> {
  await files.makeFolder(path);
  const slash = path.replace(/\/+$/, "").lastIndexOf("/");
  if (slash > 0) await files.syncFolder(path.slice(0, slash));
}

const notWritable: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "its file system is read-only",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "it is a file",
};

function folderError(path: string, cause: unknown): unknown {
  const known = startError(path, cause);
  if (known instanceof AppError) return known;
  return writeError(path, (cause as Error).message, cause);
}

function writeError(path: string, reason: string, cause: unknown): AppError {
  const text = `Cannot use data folder "${path}": ${reason}; make it writable or name another with --data-dir`;
  return new AppError("data/not-writable", text, { cause });
}

/**
 * What stopped a program from starting on its data folder, as a sentence that says what to do. Errors that are not about
 * the folder's disk or permissions come back as they are.
 */
export function startError(path: string, cause: unknown): unknown {
  const code = cause instanceof AppError ? cause.code : ((cause as NodeJS.ErrnoException | null)?.code ?? "");
  if (["ENOSPC", "EDQUOT", "data/disk-full", "outbox/disk-full"].includes(code)) {
    const text = `Cannot use data folder "${path}": its disk is full; free some space or name another with --data-dir`;
    return new AppError("data/disk-full", text, { cause });
  }
  const reason = cause instanceof AppError ? undefined : notWritable[code];
  return reason === undefined ? cause : writeError(path, reason, cause);
}

/** `VERSION` is one line for people and programs: "penstock edge 1". */
function readVersion(path: string, text: string): { program: string; version: number } {
  const match = /^penstock (\S+) (\d+)\n?$/.exec(text);
  if (match === null) {
    const what = `"${path}/VERSION" is not Penstock's; name another folder with --data-dir`;
    throw new AppError("data/not-writable", `Cannot use data folder "${path}": ${what}`);
  }
  return { program: match[1]!, version: Number(match[2]) };
}

/**
 * Takes the data folder for this process: makes it, locks it, and checks or writes its version. Nothing in a folder that is
 * refused is changed.
 *
 * @throws AppError data/in-use (names the pid), data/newer-version (names both versions), data/not-writable, data/disk-full;
 *   each message says what to do
 */
export async function openDataFolder(options: DataFolderOptions): Promise<DataFolder> {
  const { files, path, version, program } = options;
  const versionPath = `${path}/VERSION`;
  let unlock: (() => Promise<void>) | null = null;
  try {
    await makeDurableFolder(files, path);
    unlock = await lockFolder(path);
    const isNew = !(await files.exists(versionPath));
    if (isNew) {
      const text = new TextEncoder().encode(`penstock ${program} ${version}\n`);
      // Beside and renamed: a cut in the middle must not leave half a version.
      const beside = `${versionPath}.new`;
      if (await files.exists(beside)) await files.remove(beside);
      const file = await files.openAppend(beside);
      try {
        await file.append(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(beside, versionPath);
      await files.syncFolder(path);
    } else {
      const found = readVersion(path, new TextDecoder().decode(await files.readAll(versionPath)));
      if (found.program !== program) {
        const what = `it belongs to "penstock ${found.program}"; name another with --data-dir`;
        throw new AppError("data/in-use", `Cannot use data folder "${path}" for "penstock ${program}": ${what}`);
      }
      if (found.version > version) {
        throw new AppError(
          "data/newer-version",
          `Cannot use data folder "${path}": it has version ${found.version}, this program knows up to ${version}; ` +
            "start the newer Penstock, or restore a backup made with this one",
        );
      }
    }
    const release = unlock;
    return { path, isNew, close: release };
  } catch (error) {
    await unlock?.();
    throw folderError(path, error);
  }
}
