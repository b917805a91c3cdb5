import type { Files } from "./files.ts";
import { frameRecord } from "./segment-file.ts";

/** Handed to the disk at a time, so that much does not hold up other writers. */
const sliceBytes = 64 * 1024;

/**
 * Puts a file of records, as `scanRecords` reads them, in the place of the one with its name. After a crash at any point the
 * path holds what it held before or all of them. Records are asked for one after the other as the disk takes them.
 *
 * @returns its bytes
 */
export async function writeRecords(options: {
  readonly files: Files;
  readonly folder: string;
  readonly name: string;
  readonly records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}): Promise<number> {
  const { files, folder, name, records } = options;
  const fresh = `${folder}/${name}.new`;
  // A left-over of an earlier try would otherwise be appended to.
  if (await files.exists(fresh)) await files.remove(fresh);
  const file = await files.openAppend(fresh);
  let bytes = 0;
  try {
    let slice: Uint8Array[] = [];
    let held = 0;
    for await (const record of records) {
      for (const part of frameRecord([record])) {
        slice.push(part);
        held += part.length;
      }
      if (held < sliceBytes) continue;
      await file.append(slice);
      bytes += held;
      slice = [];
      held = 0;
    }
    await file.append(slice);
    await file.sync();
    bytes += held;
  } catch (error) {
    await file.close();
    // On a full disk even this is room that others need.
    await files.remove(fresh).catch(() => {});
    throw error;
  }
  await file.close();
  await files.rename(fresh, `${folder}/${name}`);
  await files.syncFolder(folder);
  return bytes;
}
