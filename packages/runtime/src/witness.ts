import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Told after each successful sync, before the sync resolves: the file, and how many of its bytes are durable. */
export type SyncWitness = (path: string, length: number) => void;

/** An append-only text file, one line a fact, for whoever checks a process that was killed. */
export interface WitnessFile {
  line(text: string): void;
  close(): void;
}

/**
 * The write is synchronous on purpose: a line is with the system before the caller goes on, so that killing this process
 * cannot lose it. It is not synced; the witness stands for the world outside the machine that loses power.
 */
export function openWitness(path: string): WitnessFile {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a");
  return {
    line: (text) => {
      writeSync(file, `${text}\n`);
    },
    close: () => closeSync(file),
  };
}

/** Lines "length path"; of several lines for a path the last holds. */
export function syncWitness(file: WitnessFile): SyncWitness {
  return (path, length) => file.line(`${length} ${path}`);
}

/** @returns durable length by path, from the text that `syncWitness` wrote; a torn last line is left out */
export function readSyncWitness(text: string): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const line of text.split("\n").slice(0, -1)) {
    const space = line.indexOf(" ");
    if (space > 0) lengths.set(line.slice(space + 1), Number(line.slice(0, space)));
  }
  return lengths;
}
