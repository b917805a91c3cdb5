import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { readSyncWitness } from "@penstock/runtime";
import type { SimRandom } from "@penstock/testkit";

/** segments of the outbox; logs and snapshots of journals, and what is written beside before it gets its name */
const ours = /^(\d+\.segment|log-\d+|snapshot-\d+)(\.new)?$/;
/** of these the last one of a folder is being appended to, so a power cut may leave anything behind its synced length */
const growing = /^(\d+\.segment|log-\d+)$/;

/**
 * What a power cut does to the files of a killed agent: behind the last synced length nothing is left, or garbage.
 *
 * @param options.syncWitnesses the sync witness files of all lives so far, in order
 * @returns how many files were cut, and how many were given garbage
 */
export function cutPower(options: {
  readonly folder: string;
  readonly syncWitnesses: readonly string[];
  readonly garbageBytes: number;
  readonly random: SimRandom;
}): { readonly cut: number; readonly spoilt: number } {
  const { folder, random } = options;
  const synced = new Map<string, number>();
  for (const witness of options.syncWitnesses) {
    if (!existsSync(witness)) continue;
    for (const [path, length] of readSyncWitness(readFileSync(witness, "utf8"))) synced.set(path, length);
  }
  let cut = 0;
  let spoilt = 0;
  for (const [directory, names] of foldersOf(folder)) {
    const last = new Map<string, string>();
    for (const name of names) if (growing.test(name)) last.set(name.replace(/\d+/, ""), name);
    for (const name of names) {
      const path = join(directory, name);
      const size = statSync(path).size;
      const durable = synced.get(path) ?? 0;
      if (durable < size) {
        truncateSync(path, durable);
        cut++;
      }
      const mayHaveMore = [...last.values()].includes(name) || durable < size;
      if (!mayHaveMore || !random.chance(0.8)) continue;
      appendFileSync(path, random.bytes(random.between(1, options.garbageBytes)));
      spoilt++;
    }
  }
  return { cut, spoilt };
}

/** Our files by folder, in the order of their numbers. */
function foldersOf(root: string): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !ours.test(entry.name)) continue;
    const names = folders.get(entry.parentPath) ?? [];
    folders.set(entry.parentPath, names);
    names.push(entry.name);
  }
  const number = (name: string) => Number(/\d+/.exec(name)?.[0]);
  for (const names of folders.values()) names.sort((a, b) => number(a) - number(b));
  return folders;
}
