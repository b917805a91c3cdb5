import { AppError, codeOf, type Value } from "@penstock/model";
import type { S7Point } from "./point.ts";
import { resolvePoint } from "./resolve-point.ts";
import { ItemRefused, jobRefused } from "./return-codes.ts";
import type { S7Line } from "./s7-line.ts";
import { decodeWrite, encodeWrite, itemsMost, mostOfWrite, roomOf, type WriteItem, writeRoom } from "./s7-pdu.ts";

interface WritePiece extends WriteItem {
  readonly row: number;
}

/**
 * Writes values in their order, several to a job. What does not fit its type is refused before anything is sent; of a value
 * that takes several items the first refusal counts.
 *
 * @returns one outcome a write
 * @throws AppError when the line has ended
 */
export async function writeAll(
  line: S7Line,
  writes: readonly { readonly point: S7Point; readonly value: Value }[],
  signal: AbortSignal,
): Promise<(AppError | null)[]> {
  const outcomes: (AppError | null)[] = writes.map(() => null);
  const pieces: WritePiece[] = [];
  writes.forEach(({ point, value }, row) => {
    try {
      pieces.push(...piecesOf(row, point, value, line.terms.pduSize));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      outcomes[row] = error;
    }
  });
  for (const job of packWrites(pieces, line.terms.pduSize)) {
    if (signal.aborted) break;
    await writeJob(line, job, outcomes, signal);
  }
  return outcomes;
}

async function writeJob(
  line: S7Line,
  job: readonly WritePiece[],
  outcomes: (AppError | null)[],
  signal: AbortSignal,
): Promise<void> {
  try {
    const { answer } = await line.ask({ encode: (reference) => encodeWrite(reference, job), isWrite: true, signal });
    if (answer.error !== 0) throw jobRefused(answer.error);
    const codes = decodeWrite(answer, job.length);
    job.forEach(({ row }, i) => {
      const code = codes[i];
      if (code !== null && code !== undefined) outcomes[row] ??= new ItemRefused(code);
    });
  } catch (error) {
    const code = codeOf(error);
    if (!(error instanceof AppError) || code === "mapper/connection-lost" || code === "internal") throw error;
    for (const { row } of job) outcomes[row] ??= error;
  }
}

/** @throws AppError mapper/value-out-of-range, mapper/bad-address, mapper/unsupported */
function piecesOf(row: number, point: S7Point, value: Value, pduSize: number): WritePiece[] {
  const resolved = resolvePoint(point);
  const { area, db } = resolved;
  const { place, data, bit } = resolved.write(value);
  const most = mostOfWrite(pduSize);
  const pieces: WritePiece[] = [];
  for (let from = 0; from < data.length; from += most) {
    const part = data.subarray(from, from + most);
    pieces.push({ row, area, db, place: place + from / area.placeBytes, data: part, bit });
  }
  return pieces;
}

/** In order: of two values for one place the later one stays. */
export function packWrites<P extends WriteItem>(pieces: readonly P[], pduSize: number): P[][] {
  const room = roomOf(pduSize);
  const jobs: P[][] = [];
  let [question, answer] = [Number.POSITIVE_INFINITY, 0];
  for (const piece of pieces) {
    const needs = writeRoom(piece.data.length);
    const last = jobs.at(-1);
    const isFull =
      last === undefined ||
      last.length >= itemsMost ||
      question + needs.question > room.question ||
      answer + needs.answer > room.answer;
    if (isFull) {
      jobs.push([piece]);
      [question, answer] = [needs.question, needs.answer];
    } else {
      last.push(piece);
      question += needs.question;
      answer += needs.answer;
    }
  }
  return jobs;
}
