import { AppError } from "@penstock/model";
import type { Files } from "./files.ts";
import type { JournalOptions } from "./journal.ts";
import type { Codec } from "./journal-codec.ts";
import { scanRecords } from "./segment-file.ts";

export const snapshotName = (generation: number) => `snapshot-${generation}`;
export const logName = (generation: number) => `log-${generation}`;

function generationOf(name: string): number {
  const match = /^(?:snapshot|log)-(\d+)(?:\.new)?$/.exec(name);
  return match === null ? -1 : Number(match[1]);
}

export async function removeOthers(files: Files, folder: string, generation: number): Promise<void> {
  for (const name of await files.list(folder)) {
    const other = generationOf(name);
    if (other >= 0 && other !== generation) await files.remove(`${folder}/${name}`);
  }
}

async function readRecords(files: Files, path: string, each: (payload: Uint8Array) => void): Promise<string | null> {
  if (!(await files.exists(path))) return null;
  const file = await files.openRead(path);
  try {
    const scanned = await scanRecords({
      file,
      to: await file.size(),
      each: (payload) => {
        each(payload);
        return true;
      },
    });
    return scanned.damage;
  } finally {
    await file.close();
  }
}

/**
 * The state of the highest snapshot and its log, and the highest number that any file of the folder bears. Generation 0 has no snapshot: it begins with the initial state. A torn
 * end of the log was never promised and is passed over; the caller begins a new generation, so nothing is written after it.
 */
export async function recoverJournal<S, E>(
  options: JournalOptions<S, E> & { readonly stateCodec: Codec<S>; readonly entryCodec: Codec<E> },
): Promise<{ state: S; last: number; snapshotBytes: number }> {
  const { files, folder } = options;
  const names = await files.list(folder);
  // A log may be found without its snapshot when power failed before the folder was synced; nothing in it was promised.
  const generation = Math.max(0, ...names.filter((name) => /^snapshot-\d+$/.test(name)).map(generationOf));
  const last = Math.max(0, ...names.map(generationOf));
  const snapshotPath = `${folder}/${snapshotName(generation)}`;
  let state = options.initial;
  let snapshotBytes = 0;
  if (generation > 0) {
    const damage = await readRecords(files, snapshotPath, (payload) => {
      state = options.stateCodec.decode(payload);
      snapshotBytes = payload.length;
    });
    if (damage !== null || snapshotBytes === 0) {
      throw new AppError("data/corrupt", `Cannot read "${snapshotPath}": ${damage ?? "no snapshot"}; restore a backup`);
    }
  }
  await readRecords(files, `${folder}/${logName(generation)}`, (payload) => {
    state = options.apply(state, options.entryCodec.decode(payload));
  });
  return { state, last, snapshotBytes };
}
