import type { Files, Log, Metrics } from "@penstock/runtime";
import { turnAt } from "./folder-turns.ts";

/**
 * Removes what actions keep on disk whose rule is gone for good: nobody will ever deliver it. One that still ends is
 * waited for. What could not be removed is tried again at the next sweep; never rejects.
 *
 * @param options.folder  of the rules of the gateway
 * @param options.isKept  whether the rule is assigned, be it stopped or refused; asked again right before its files go
 */
export async function sweepCaches(options: {
  readonly files: Files;
  readonly folder: string;
  readonly isKept: (rule: string) => boolean;
  readonly metrics: Metrics;
  readonly log: Log;
}): Promise<void> {
  const { files, isKept, metrics, log } = options;
  const swept = metrics.counter(
    "penstock_rules_swept_bytes_total",
    "Bytes of results on disk that went with the rule they were of",
  );
  try {
    for (const rule of await files.list(`${options.folder}/cache`)) {
      if (isKept(rule)) continue;
      let bytes = 0;
      for (const action of await files.list(`${options.folder}/cache/${rule}`)) {
        const folder = `${options.folder}/cache/${rule}/${action}`;
        const leave = await turnAt(files, folder);
        try {
          if (!isKept(rule)) bytes += await emptied(files, folder);
        } finally {
          leave();
        }
      }
      swept.add(bytes);
      if (bytes > 0) log.info({ uid: rule, bytes }, "What actions of a rule that is gone had kept is removed");
    }
  } catch (error) {
    log.warn({ error }, "What actions of rules that are gone had kept cannot be removed");
  }
}

/** Its files, and those of the folders in it; empty folders stay. @returns their bytes */
async function emptied(files: Files, folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await files.list(folder)) {
    const path = `${folder}/${name}`;
    // Only a folder can be listed.
    const isFolder = await files.list(path).then(
      () => true,
      () => false,
    );
    if (isFolder) bytes += await emptied(files, path);
    else {
      bytes += await sizeOf(files, path);
      await files.remove(path);
    }
  }
  return bytes;
}

async function sizeOf(files: Files, path: string): Promise<number> {
  const file = await files.openRead(path);
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}
