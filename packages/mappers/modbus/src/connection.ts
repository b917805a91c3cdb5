import {
  type CallOptions,
  type DriverClock,
  type MapperConnection,
  type PointResult,
  type ReadSink,
  type ReadsInto,
  RunningCalls,
  readByInto,
  type WritesAll,
} from "@penstock/mapper-sdk";
import { AppError, codeOf, type LineSettings, type Value } from "@penstock/model";
import { ModbusException } from "./exception.ts";
import { decodeRead } from "./pdu.ts";
import type { Address, ModbusPoint, Visitor } from "./point.ts";
import { MeasuredCost } from "./read-cost.ts";
import { type AreaRead, type ReadPlan, readPlan, splitRead } from "./read-plan.ts";
import { resolvePoint } from "./resolve-point.ts";
import type { LineLease } from "./shared-lines.ts";
import { type PlannedWrite, planWrite } from "./write-request.ts";
import { Writer } from "./writer.ts";

export interface ConnectionOptions {
  /** as the Connection states them, defaults filled in: what a read costs follows from them */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly line: LineSettings;
  readonly clock: DriverClock;
}

const file = "mappers/modbus/src/connection.ts";

/** What ends a whole unit's turn: asking it more would cost the other devices on the line a time-out each. */
const isSilent = (code: string) => code === "mapper/timeout" || code === "mapper/gateway-no-response";

interface ReadTurn {
  readonly signal: AbortSignal;
  /** units that have not answered in this turn */
  readonly silent: Map<number, AppError>;
  /** an address that was refused long ago may be asked again */
  mayRetry: boolean;
}

/** One holder's view of a line: plans, reads, writes. */
export class ModbusConnection
  implements MapperConnection<Address, Visitor>, ReadsInto<Address, Visitor>, WritesAll<Address, Visitor>
{
  readonly #lease: LineLease;
  readonly #options: ConnectionOptions;
  readonly #cost: MeasuredCost;
  readonly #writer: Writer;
  readonly #plans = new WeakMap<readonly ModbusPoint[], ReadPlan>();
  readonly #calls = new RunningCalls();

  constructor(lease: LineLease, options: ConnectionOptions) {
    this.#lease = lease;
    this.#options = options;
    this.#cost = new MeasuredCost(options.settings, options.line);
    this.#writer = new Writer(lease.line);
  }

  read(points: readonly ModbusPoint[], options: CallOptions): Promise<readonly PointResult[]> {
    return readByInto(this, points, options);
  }

  readInto(points: readonly ModbusPoint[], sink: ReadSink, { signal, trace }: CallOptions): Promise<void> {
    return this.#calls.run(signal, async (stopped) => {
      await this.#readAll(this.#planOf(points), sink, stopped);
      trace?.(file, "Registers became values");
    });
  }

  async write(point: ModbusPoint, value: Value, options: CallOptions): Promise<void> {
    const [outcome] = await this.writeAll([{ point, value }], options);
    if (outcome !== null && outcome !== undefined) throw outcome;
  }

  async writeAll(
    writes: readonly { readonly point: ModbusPoint; readonly value: Value }[],
    { signal, trace }: CallOptions,
  ): Promise<readonly (AppError | null)[]> {
    const outcomes: (AppError | null)[] = writes.map(() => null);
    await this.#calls.run(signal, async (stopped) => {
      const planned: PlannedWrite[] = [];
      writes.forEach(({ point, value }, row) => {
        try {
          planned.push(planWrite(row, resolvePoint(point), value));
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          outcomes[row] = error;
        }
      });
      await this.#writer.writeAll(planned, outcomes, { timeoutMs: this.#options.line.timeoutMs, signal: stopped });
      if (outcomes.includes(null)) trace?.(file, "The device has taken the value");
    });
    return outcomes;
  }

  close(): Promise<void> {
    return this.#calls.close(() => this.#lease.release());
  }

  #planOf(points: readonly ModbusPoint[]): ReadPlan {
    const { refused } = this.#lease;
    const known = this.#plans.get(points);
    if (known?.refusedVersion === refused.version && known.termsVersion === this.#cost.version) return known;
    const plan = readPlan(points, {
      refused,
      terms: (table) => this.#cost.terms(table),
      termsVersion: this.#cost.version,
    });
    this.#plans.set(points, plan);
    return plan;
  }

  async #readAll(plan: ReadPlan, sink: ReadSink, signal: AbortSignal): Promise<void> {
    for (const { row, reason } of plan.impossible) sink.bad(row, reason);
    const turn: ReadTurn = { signal, silent: new Map(), mayRetry: true };
    let next = 0;
    const worker = async () => {
      while (next < plan.reads.length && !signal.aborted) {
        const read = plan.reads[next++]!;
        if (!this.#isRefused(read, sink, turn)) await this.#readArea(read, sink, turn);
      }
    };
    // As many questions of this read as may be out at once, and one that waits in the line's queue: it leaves the moment
    // an answer comes, before its values are made. Other reads get their turn between.
    const workers = Math.min(this.#lease.line.maxInFlight + 1, plan.reads.length);
    if (workers <= 1) return worker();
    await Promise.all(Array.from({ length: workers }, worker));
  }

  /** What the device is known to refuse is not asked again in each cycle; of what it may have gained since, one a cycle. */
  #isRefused({ area, start, length, ranges }: AreaRead, sink: ReadSink, turn: ReadTurn): boolean {
    const { refused } = this.#lease;
    if (refused.isEmpty) return false;
    const now = this.#options.clock.monotonic();
    const state = refused.stateOf(area, { start, length }, now);
    if (state === null) return false;
    if (state === "retry" && turn.mayRetry) {
      turn.mayRetry = false;
      return false;
    }
    sink.at(now);
    for (const { row } of ranges) sink.bad(row, "mapper/bad-address");
    return true;
  }

  /** @returns true when one question read it @throws AppError when the line has ended */
  async #readArea(read: AreaRead, sink: ReadSink, turn: ReadTurn): Promise<boolean> {
    const { line, refused } = this.#lease;
    const { clock, line: settings } = this.#options;
    const { unit, table, area, ranges } = read;
    try {
      const before = turn.silent.get(unit);
      if (before !== undefined) throw before;
      const asked = clock.monotonic();
      const answer = await line.ask({ unit, pdu: read.pdu, timeoutMs: settings.timeoutMs, signal: turn.signal });
      if (turn.signal.aborted) return false;
      const data = decodeRead(table, read.length, answer.pdu);
      this.#cost.answered(table, read.length, answer.monotonic - asked);
      if (!refused.isEmpty) refused.restore(area, read);
      sink.at(answer.monotonic);
      report(read, new DataView(data.buffer, data.byteOffset, data.length), sink);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === "mapper/connection-lost" || code === "aborted" || code === "internal") throw error;
      if (turn.signal.aborted) return false;
      if (error instanceof ModbusException && error.isAboutRange) {
        const halves = splitRead(read);
        if (halves !== null) {
          const isLeftWhole = await this.#readArea(halves[0], sink, turn);
          const isRightWhole = await this.#readArea(halves[1], sink, turn);
          // Where a half was not read whole either, the reason lies there, and the place between them may be sound.
          if (isLeftWhole && isRightWhole) refused.cut(area, halves[1].start);
          return false;
        }
        refused.refuse(area, read, clock.monotonic());
      }
      if (isSilent(code)) turn.silent.set(unit, error as AppError);
      sink.at(clock.monotonic());
      for (const { row } of ranges) sink.bad(row, code);
      return false;
    }
  }
}

function report(read: AreaRead, data: DataView, sink: ReadSink): void {
  const { ranges, base } = read;
  for (let i = 0; i < ranges.length; i++) {
    const { row, point, place } = ranges[i]!;
    const value = point.valueAt(data, place - base);
    if (value === null) sink.bad(row, point.reasonAt(data, place - base));
    else sink.good(row, value);
  }
}
