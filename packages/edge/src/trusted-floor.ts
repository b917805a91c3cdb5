import { basename, dirname } from "node:path/posix";
import type { Micros } from "@penstock/model";
import { type Cancel, type Clock, type Files, type Log, writeFile } from "@penstock/runtime";

/**
 * No clock that has been set can show an earlier time: when this release was made. Raised with each release.
 * 2026-11-01T00:00:00Z in microseconds.
 */
export const buildTime = 1_793_491_200_000_000 as Micros;

/** How old the last time on disk may be; a power cut sets the floor back by at most this. */
const everyMs = 60_000;

/** The floor of the wall clock: the build date or the last time on disk, whichever is later. */
export async function readFloor(files: Files, path: string): Promise<Micros> {
  if (!(await files.exists(path))) return buildTime;
  const saved = Number(new TextDecoder().decode(await files.readAll(path)));
  return (Number.isSafeInteger(saved) ? Math.max(saved, buildTime) : buildTime) as Micros;
}

/** Writes the trusted time down now and then, so that the next start knows that it cannot be earlier. */
export function keepFloor(options: {
  readonly files: Files;
  readonly path: string;
  readonly clock: Clock;
  readonly isTrusted: () => boolean;
  readonly log: Log;
}): { close(): Promise<void> } {
  const { files, path, clock, isTrusted, log } = options;
  let cancel: Cancel = () => {};
  let writing: Promise<void> = Promise.resolve();
  let isClosed = false;
  const write = async () => {
    if (!isTrusted()) return;
    await writeFile({ files, folder: dirname(path), name: basename(path), bytes: String(clock.now()) });
  };
  const arm = () => {
    if (isClosed) return;
    cancel = clock.after(everyMs, () => {
      // A full disk must not stop the gateway: the floor is a help, not a promise.
      writing = write().catch((error: unknown) => log.warn({ error, path }, "Cannot write the last time down"));
      void writing.then(arm);
    });
  };
  arm();
  return {
    async close() {
      isClosed = true;
      cancel();
      await writing;
    },
  };
}
