import {
  type CallOptions,
  type DriverClock,
  type MapperConnection,
  type PointResult,
  type ReadSink,
  type ReadsInto,
  readByInto,
} from "@penstock/mapper-sdk";
import { AppError, codeOf, type Value } from "@penstock/model";
import { ModbusException } from "./exception.ts";
import { checkWritten, decodeRead, encodeRead } from "./pdu.ts";
import { type Address, type ModbusPoint, resolvePoint, type Visitor } from "./point.ts";
import { type AreaRead, type PlannedPoint, type ReadPlan, readPlan } from "./read-plan.ts";
import type { LineLease } from "./shared-lines.ts";
import { writeRequest } from "./write-request.ts";

export interface ConnectionOptions {
  readonly timeoutMs: number;
  readonly maxGap: number;
  readonly clock: DriverClock;
}

const file = "mappers/modbus/src/connection.ts";

/** What ends a whole unit's turn: asking it more would cost the other devices on the line a time-out each. */
const isSilent = (code: string) => code === "mapper/timeout" || code === "mapper/gateway-no-response";

/** One holder's view of a line: plans, reads, writes. */
export class ModbusConnection implements MapperConnection<Address, Visitor>, ReadsInto<Address, Visitor> {
  readonly #lease: LineLease;
  readonly #options: ConnectionOptions;
  readonly #plans = new WeakMap<readonly ModbusPoint[], ReadPlan>();
  readonly #active = new Set<{ stop: (error: AppError) => void; done: Promise<unknown> }>();
  #isClosed = false;

  constructor(lease: LineLease, options: ConnectionOptions) {
    this.#lease = lease;
    this.#options = options;
  }

  read(points: readonly ModbusPoint[], options: CallOptions): Promise<readonly PointResult[]> {
    return readByInto(this, points, options);
  }

  readInto(points: readonly ModbusPoint[], sink: ReadSink, { signal, trace }: CallOptions): Promise<void> {
    return this.#run(signal, async (stopped) => {
      await this.#readAll(this.#planOf(points), sink, stopped);
      trace?.(file, "Registers became values");
    });
  }

  write(point: ModbusPoint, value: Value, { signal, trace }: CallOptions): Promise<void> {
    return this.#run(signal, async (stopped) => {
      const resolved = resolvePoint(point);
      const request = writeRequest(resolved, value, point.visitor.writeWith);
      const { timeoutMs } = this.#options;
      const answer = await this.#lease.line.ask({ unit: resolved.unit, pdu: request.pdu, timeoutMs, signal: stopped });
      checkWritten(request, answer.pdu);
      trace?.(file, "The device has taken the value");
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const active = [...this.#active];
    for (const { stop } of active) stop(new AppError("aborted", "The connection was closed"));
    this.#lease.release();
    await Promise.allSettled(active.map(({ done }) => done));
  }

  /** Runs work that ends at once, for its caller, when the signal is aborted or the connection closed. */
  #run(signal: AbortSignal, work: (stopped: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AppError("aborted", "The connection is closed"));
    return new Promise((resolve, reject) => {
      const inner = new AbortController();
      const stop = (error: AppError) => {
        inner.abort();
        reject(error);
      };
      const onAbort = () => stop(new AppError("aborted", "The work was called off", { cause: signal.reason }));
      signal.addEventListener("abort", onAbort, { once: true });
      const entry = { stop, done: Promise.resolve() };
      this.#active.add(entry);
      entry.done = work(inner.signal)
        .then(resolve, reject)
        .finally(() => {
          signal.removeEventListener("abort", onAbort);
          this.#active.delete(entry);
        });
      if (signal.aborted) onAbort();
    });
  }

  #planOf(points: readonly ModbusPoint[]): ReadPlan {
    const known = this.#plans.get(points);
    if (known !== undefined && known.version === this.#lease.refused.version) return known;
    const plan = readPlan(points, { refused: this.#lease.refused, maxGap: this.#options.maxGap });
    this.#plans.set(points, plan);
    return plan;
  }

  async #readAll(plan: ReadPlan, sink: ReadSink, signal: AbortSignal): Promise<void> {
    for (const { row, reason } of plan.impossible) sink.bad(row, reason);
    const silent = new Map<number, AppError>();
    let next = 0;
    const worker = async () => {
      while (next < plan.reads.length && !signal.aborted)
        await this.#readArea(plan.reads[next++]!, sink, { signal, silent });
    };
    // As many questions of this read wait in the line's queue as may be out at once; other reads get their turn between.
    const workers = Math.min(this.#lease.line.maxInFlight, plan.reads.length);
    if (workers <= 1) return worker();
    await Promise.all(Array.from({ length: workers }, worker));
  }

  /** @returns true when one question read it @throws AppError when the line has ended */
  async #readArea(
    read: AreaRead,
    sink: ReadSink,
    turn: { signal: AbortSignal; silent: Map<number, AppError> },
  ): Promise<boolean> {
    const { line, refused } = this.#lease;
    const { unit, table, area, ranges } = read;
    try {
      const before = turn.silent.get(unit);
      if (before !== undefined) throw before;
      const { timeoutMs } = this.#options;
      const answer = await line.ask({ unit, pdu: read.pdu, timeoutMs, signal: turn.signal });
      if (turn.signal.aborted) return false;
      const data = decodeRead(table, read.length, answer.pdu);
      sink.at(answer.monotonic);
      report(read, new DataView(data.buffer, data.byteOffset, data.length), sink);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === "mapper/connection-lost" || code === "aborted" || code === "internal") throw error;
      if (turn.signal.aborted) return false;
      if (error instanceof ModbusException && error.isAboutRange) {
        const halves = split(read);
        if (halves !== null) {
          const isLeftWhole = await this.#readArea(halves[0], sink, turn);
          const isRightWhole = await this.#readArea(halves[1], sink, turn);
          // Where a half was not read whole either, the reason lies there, and the place between them may be sound.
          if (isLeftWhole && isRightWhole) refused.cut(area, halves[1].start);
          return false;
        }
        refused.isolate(area, read);
      }
      if (isSilent(code)) turn.silent.set(unit, error as AppError);
      sink.at(this.#options.clock.monotonic());
      for (const { row } of ranges) sink.bad(row, code);
      return false;
    }
  }
}

function report(read: AreaRead, data: DataView, sink: ReadSink): void {
  for (const { row, point, place } of read.ranges) {
    const raw = point.rawAt(data, place - read.base);
    const value = point.conversion.toValue(raw);
    if (value === null) sink.bad(row, point.conversion.reasonFor(raw));
    else sink.good(row, value);
  }
}

/** Two halves by start; null when all its points lie in the same place. */
function split(read: AreaRead): readonly [AreaRead, AreaRead] | null {
  const { ranges } = read;
  const middle = ranges.length >> 1;
  const isSame = (a: PlannedPoint, b: PlannedPoint) => a.start === b.start && a.length === b.length;
  let at = middle;
  while (at > 0 && isSame(ranges[at - 1]!, ranges[at]!)) at--;
  if (at === 0) at = ranges.findIndex((range) => !isSame(range, ranges[0]!));
  if (at < 1) return null;
  return [part(read, ranges.slice(0, at)), part(read, ranges.slice(at))];
}

function part(read: AreaRead, ranges: readonly PlannedPoint[]): AreaRead {
  const start = ranges[0]!.start;
  const length = Math.max(...ranges.map((range) => range.start + range.length)) - start;
  const base = read.base + (start - read.start) * read.placesEach;
  return { ...read, start, length, ranges, base, pdu: encodeRead(read.table, start, length) };
}
