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
import { type AppError, type LineSettings, type ReadTerms, readTerms, type Value } from "@penstock/model";
import type { Address, S7Point, Visitor } from "./point.ts";
import { readCost } from "./read-cost.ts";
import { type ReadPlan, readPlan } from "./read-plan.ts";
import { Reader } from "./reader.ts";
import { RefusedPlaces } from "./refused-places.ts";
import type { S7Line } from "./s7-line.ts";
import { writeAll } from "./writer.ts";

const file = "mappers/s7/src/connection.ts";

/** One PLC: plans, reads, writes. */
export class S7Connection
  implements MapperConnection<Address, Visitor>, ReadsInto<Address, Visitor>, WritesAll<Address, Visitor>
{
  readonly #line: S7Line;
  readonly #refused = new RefusedPlaces();
  readonly #reader: Reader;
  readonly #terms: ReadTerms;
  readonly #plans = new WeakMap<readonly S7Point[], ReadPlan>();
  readonly #calls = new RunningCalls();

  constructor(line: S7Line, options: { readonly line: LineSettings; readonly clock: DriverClock }) {
    this.#line = line;
    this.#reader = new Reader({ line, refused: this.#refused, clock: options.clock });
    // A line of the cost has no condition, so there are terms.
    this.#terms = readTerms(readCost(line.terms.pduSize), { fieldOf: () => undefined, line: options.line })!;
  }

  read(points: readonly S7Point[], options: CallOptions): Promise<readonly PointResult[]> {
    return readByInto(this, points, options);
  }

  readInto(points: readonly S7Point[], sink: ReadSink, { signal, trace }: CallOptions): Promise<void> {
    return this.#calls.run(signal, async (stopped) => {
      await this.#reader.readAll(this.#planOf(points), sink, stopped);
      trace?.(file, "Bytes became values");
    });
  }

  async write(point: S7Point, value: Value, options: CallOptions): Promise<void> {
    const [outcome] = await this.writeAll([{ point, value }], options);
    if (outcome !== null && outcome !== undefined) throw outcome;
  }

  async writeAll(
    writes: readonly { readonly point: S7Point; readonly value: Value }[],
    { signal, trace }: CallOptions,
  ): Promise<readonly (AppError | null)[]> {
    let outcomes: readonly (AppError | null)[] = [];
    await this.#calls.run(signal, async (stopped) => {
      outcomes = await writeAll(this.#line, writes, stopped);
      if (outcomes.includes(null)) trace?.(file, "The PLC has taken the value");
    });
    return outcomes;
  }

  close(): Promise<void> {
    return this.#calls.close(() => this.#line.close());
  }

  #planOf(points: readonly S7Point[]): ReadPlan {
    const known = this.#plans.get(points);
    if (known?.refusedVersion === this.#refused.version) return known;
    const plan = readPlan(points, { refused: this.#refused, terms: this.#terms });
    this.#plans.set(points, plan);
    return plan;
  }
}
