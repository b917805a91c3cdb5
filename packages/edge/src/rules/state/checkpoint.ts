import { AppError, type Micros } from "@penstock/model";
import { decodeSaved, encodeSaved } from "@penstock/rules";
import { type Files, scanRecords, writeRecords } from "@penstock/runtime";
import type { Origin } from "./input-record.ts";

/** State of one rule at the position of the checkpoint. */
export interface RuleCheckpoint {
  readonly rule: string;
  readonly key: string;
  readonly number: number;
  /** `encodeSaved` of what the rule saved; null: it was larger than may be kept, and begins anew */
  readonly saved: Uint8Array | null;
  /** false: it does not come of every input */
  readonly isExact: boolean;
  /** it has stopped by itself, and has not seen what came since */
  readonly isStopped: boolean;
}

/** What all inputs up to a position have made of the rules. */
export interface Checkpoint {
  readonly position: number;
  /** of the last input that had a moment */
  readonly now: Micros;
  readonly rules: readonly RuleCheckpoint[];
  /** last numbers of rules that have ended and may come back */
  readonly ended: readonly (readonly [rule: string, number: number])[];
  /** last row that was taken of each rule whose outputs are others' inputs */
  readonly origins: readonly Origin[];
}

const name = "checkpoint";
const version = 1;

/**
 * Puts the checkpoint in the place of the last one. After a crash at any point the path holds the one or the other.
 *
 * @returns its bytes
 */
export async function writeCheckpoint(options: {
  readonly files: Files;
  readonly folder: string;
  readonly checkpoint: Checkpoint;
}): Promise<number> {
  const { files, folder, checkpoint } = options;
  return writeRecords({ files, folder, name, records: recordsOf(checkpoint) });
}

function* recordsOf({ position, now, rules, ended, origins }: Checkpoint): Generator<Uint8Array> {
  const from = origins.map(({ rule, number, row }) => [rule, number, row]);
  yield encodeSaved([version, position, now, rules.length, ended, from]);
  for (const { rule, key, number, saved, isExact, isStopped } of rules)
    yield encodeSaved([rule, key, number, saved, isExact, isStopped]);
}

/** @returns null when there is none @throws AppError data/corrupt when it is damaged, or of another version */
export async function readCheckpoint(options: {
  readonly files: Files;
  readonly folder: string;
}): Promise<Checkpoint | null> {
  const { files, folder } = options;
  const path = `${folder}/${name}`;
  if (!(await files.exists(path))) return null;
  const file = await files.openRead(path);
  const records: Uint8Array[] = [];
  try {
    const { damage } = await scanRecords({
      file,
      to: await file.size(),
      each: (payload) => {
        records.push(payload);
        return true;
      },
    });
    if (damage !== null) throw new AppError("data/corrupt", `Cannot read "${path}": ${damage}`);
  } finally {
    await file.close();
  }
  const [first, ...rest] = records;
  if (first === undefined) throw new AppError("data/corrupt", `Cannot read "${path}": it is empty`);
  const [of, position, now, count, ended, origins] = decodeSaved(first) as unknown as readonly [
    number,
    number,
    Micros,
    number,
    Checkpoint["ended"],
    readonly (readonly [string, number, number])[],
  ];
  if (of !== version || rest.length !== count)
    throw new AppError("data/corrupt", `Cannot read "${path}": version ${of}, ${rest.length} of ${count} rules`);
  const rules = rest.map((record): RuleCheckpoint => {
    const [rule, key, number, saved, isExact, isStopped] = decodeSaved(record) as unknown as readonly [
      string,
      string,
      number,
      Uint8Array | null,
      boolean,
      boolean,
    ];
    return { rule, key, number, saved, isExact, isStopped };
  });
  return { position, now, rules, ended, origins: origins.map(([rule, number, row]) => ({ rule, number, row })) };
}
