import type { DriverClock, ReadSink } from "@penstock/mapper-sdk";
import { AppError, codeOf } from "@penstock/model";
import { type AreaRead, packReads, type ReadJob, type ReadPlan, splitRead } from "./read-plan.ts";
import type { RefusedPlaces } from "./refused-places.ts";
import { ItemRefused, jobRefused } from "./return-codes.ts";
import type { S7Line } from "./s7-line.ts";
import { decodeRead, encodeRead, type ItemAnswer } from "./s7-pdu.ts";

/** What is left of a line's turn: after a time-out nothing more is asked, since a PLC that is silent is so for all. */
interface Turn {
  readonly signal: AbortSignal;
  readonly sink: ReadSink;
  silent: AppError | null;
  /** what is to be asked again in smaller parts */
  readonly halves: AreaRead[];
}

/** An area read while its pieces come in. */
interface Assembly {
  readonly bytes: Uint8Array;
  left: number;
  failed: AppError | null;
}

/** Asks a PLC for what a plan says, and again in halves for what it refuses as a whole. */
export class Reader {
  readonly #line: S7Line;
  readonly #refused: RefusedPlaces;
  readonly #clock: DriverClock;

  constructor(options: { readonly line: S7Line; readonly refused: RefusedPlaces; readonly clock: DriverClock }) {
    this.#line = options.line;
    this.#refused = options.refused;
    this.#clock = options.clock;
  }

  /** @throws AppError when the line has ended */
  async readAll({ impossible, reads }: ReadPlan, sink: ReadSink, signal: AbortSignal): Promise<void> {
    for (const { row, reason } of impossible) sink.bad(row, reason);
    const turn: Turn = { signal, sink, silent: null, halves: [] };
    let asked: readonly AreaRead[] = reads.filter((read) => !this.#isKnown(read, sink));
    while (asked.length > 0 && !signal.aborted) {
      await this.#askAll(packReads(asked, this.#line.terms.pduSize), turn);
      asked = turn.halves.splice(0);
    }
  }

  /** What the PLC refused a while ago is not asked again in each cycle. */
  #isKnown(read: AreaRead, sink: ReadSink): boolean {
    if (!read.isRefused) return false;
    const code = this.#refused.codeOf(read, read.wanted[0]!);
    const now = this.#clock.monotonic();
    if (code === null || this.#refused.mayRetry(read, now)) return false;
    sink.at(now);
    for (const { row } of read.wanted) sink.bad(row, code);
    return true;
  }

  async #askAll(jobs: readonly ReadJob[], turn: Turn): Promise<void> {
    const assemblies = new Map<AreaRead, Assembly>();
    for (const { of: read } of jobs.flat()) {
      const known = assemblies.get(read);
      if (known === undefined) assemblies.set(read, { bytes: bufferOf(read), left: 1, failed: null });
      else known.left++;
    }
    let next = 0;
    const worker = async () => {
      while (next < jobs.length && !turn.signal.aborted) await this.#ask(jobs[next++]!, assemblies, turn);
    };
    // As many as may be out at once, and one that waits in the line's queue: it leaves the moment an answer comes.
    const workers = Math.min(this.#line.maxInFlight + 1, jobs.length);
    await Promise.all(Array.from({ length: workers }, worker));
  }

  async #ask(job: ReadJob, assemblies: ReadonlyMap<AreaRead, Assembly>, turn: Turn): Promise<void> {
    let answers: readonly ItemAnswer[];
    try {
      if (turn.silent !== null) throw turn.silent;
      const { answer, monotonic } = await this.#line.ask({
        encode: (reference) => encodeRead(reference, job),
        isWrite: false,
        signal: turn.signal,
      });
      if (turn.signal.aborted) return;
      if (answer.error !== 0) throw jobRefused(answer.error);
      answers = decodeRead(
        answer,
        job.map(({ count, area }) => count * area.placeBytes),
      );
      turn.sink.at(monotonic);
    } catch (error) {
      const code = codeOf(error);
      if (!(error instanceof AppError) || code === "mapper/connection-lost" || code === "internal") throw error;
      if (turn.signal.aborted) return;
      if (code === "mapper/timeout") turn.silent = error;
      turn.sink.at(this.#clock.monotonic());
      for (const piece of job) this.#taken(piece.of, assemblies.get(piece.of)!, turn, error);
      return;
    }
    job.forEach((piece, i) => {
      const assembly = assemblies.get(piece.of)!;
      const answer = answers[i]!;
      const isGood = "bytes" in answer;
      if (isGood) assembly.bytes.set(answer.bytes, (piece.place - piece.of.place) * piece.area.placeBytes);
      this.#taken(piece.of, assembly, turn, isGood ? null : new ItemRefused(answer.code));
    });
  }

  /** One piece of an area read has come, or will not. */
  #taken(read: AreaRead, assembly: Assembly, turn: Turn, error: AppError | null): void {
    assembly.failed ??= error;
    if (--assembly.left > 0) return;
    if (assembly.failed !== null) {
      this.#failed(read, assembly.failed, turn);
      return;
    }
    if (read.isRefused) this.#refused.restore(read);
    report(read, assembly.bytes, turn.sink);
  }

  #failed(read: AreaRead, error: AppError, { sink, halves }: Turn): void {
    const isRefusal = error instanceof ItemRefused;
    if (isRefusal && error.isAboutPlace) {
      const split = splitRead(read);
      if (split !== null) {
        this.#refused.cut(read, split[1].place);
        halves.push(...split);
        return;
      }
    }
    for (const { row, ...range } of read.wanted) {
      if (isRefusal && error.isLasting) {
        this.#refused.refuse(read, range, error.code, this.#clock.monotonic());
      }
      sink.bad(row, error.code);
    }
  }
}

function bufferOf({ length, area }: AreaRead): Uint8Array {
  return new Uint8Array(length * area.placeBytes);
}

function report({ wanted, place, area }: AreaRead, bytes: Uint8Array, sink: ReadSink): void {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { row, point, start } of wanted) {
    const at = (start - place) * area.placeBytes;
    const value = point.valueAt(data, at);
    if (value === null) sink.bad(row, point.reasonAt(data, at));
    else sink.good(row, value);
  }
}
