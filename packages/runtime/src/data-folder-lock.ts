import { createHash } from "node:crypto";
import { access, constants, open, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { AppError } from "@penstock/model";

/**
 * Where the lock listens. On Linux an abstract socket: binding it is atomic, and the kernel takes it away with the process,
 * so that there is no stale lock to recognise and no race in removing one (a file with a pid has both, and pids come
 * round again). The name is of the folder itself, device and inode, so that no second path to it slips by. It does
 * not reach across network namespaces: two containers that share one volume are not kept apart by it.
 * Windows has named pipes, which end likewise. Elsewhere it is a socket file in the system's folder for temporary files.
 */
async function lockAddress(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true });
  const name = `penstock-${createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 32)}`;
  if (process.platform === "linux") return `\0${name}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\${name}` : `${tmpdir()}/${name}`;
}

/** Always the same length and written in place, so that a full disk keeps nobody from a folder that was used before. */
const pidText = (pid: number) => `${String(pid).padStart(15)}\n`;

async function readPid(folder: string): Promise<string> {
  const file = await open(`${folder}/LOCK`, "r").catch(() => null);
  const text = file === null ? "" : (await file.readFile("utf8")).trim();
  await file?.close();
  return text === "" ? "another process" : `process ${text}`;
}

async function writePid(folder: string): Promise<void> {
  const file = await open(`${folder}/LOCK`, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    await file.write(pidText(process.pid), 0);
  } finally {
    await file.close();
  }
}

/**
 * @returns gives the lock back
 * @throws AppError data/in-use with the pid of the holder; a system error when the folder cannot be written
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await access(folder, constants.W_OK);
  const address = await lockAddress(folder);
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, resolve);
  }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    const holder = await readPid(folder);
    const text = `Cannot use data folder "${folder}": ${holder} uses it; stop that one, or name another with --data-dir`;
    throw new AppError("data/in-use", text, { cause: error });
  });
  server.unref();
  const release = () => new Promise<void>((resolve) => server.close(() => resolve()));
  try {
    await writePid(folder);
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}
