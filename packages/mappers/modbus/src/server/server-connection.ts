import {
  type CallOptions,
  type DriverClock,
  type MapperConnection,
  type PointResult,
  type ReadSink,
  type ReadsInto,
  readByInto,
} from "@penstock/mapper-sdk";
import { AppError, codeOf, type ErrorCode, type Value } from "@penstock/model";
import { isBitTable } from "../pdu.ts";
import type { Address, ModbusPoint, Visitor } from "../point.ts";
import { type ResolvedPoint, resolvePoint } from "../resolve-point.ts";
import type { Images } from "./images.ts";
import type { Listener } from "./tcp-listener.ts";
import type { Units } from "./units.ts";

export interface ServerConnectionOptions {
  readonly images: Images;
  readonly units: Units;
  readonly listener: Listener;
  readonly clock: DriverClock;
  /** what no master has written for so long reads bad; null = never */
  readonly staleAfterMs: number | null;
}

const file = "mappers/modbus/src/server/server-connection.ts";

type Resolved = { readonly point: ResolvedPoint } | { readonly impossible: ErrorCode };

/** The side of the plant: devices read what masters have put into their unit's registers, and put there what masters read. */
export class ServerConnection implements MapperConnection<Address, Visitor>, ReadsInto<Address, Visitor> {
  readonly #options: ServerConnectionOptions;
  readonly #resolved = new WeakMap<readonly ModbusPoint[], readonly Resolved[]>();
  #isClosed = false;

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
  }

  /** where masters find it: "127.0.0.1:502", or a path */
  get listening(): string {
    return this.#options.listener.name;
  }

  read(points: readonly ModbusPoint[], options: CallOptions): Promise<readonly PointResult[]> {
    return readByInto(this, points, options);
  }

  async readInto(points: readonly ModbusPoint[], sink: ReadSink, { signal, trace }: CallOptions): Promise<void> {
    this.#check(signal);
    sink.at(this.#options.clock.monotonic());
    for (const [row, resolved] of this.#resolve(points).entries()) {
      if ("impossible" in resolved) sink.bad(row, resolved.impossible);
      else this.#readPoint(resolved.point, row, sink);
    }
    trace?.(file, "What masters wrote became values");
  }

  async write(point: ModbusPoint, value: Value, { signal, trace }: CallOptions): Promise<void> {
    this.#check(signal);
    const { images, units } = this.#options;
    const resolved = resolvePoint(point);
    units.name(resolved.unit);
    // Masters cannot write discrete inputs and input registers; here they are what this end offers.
    const words = this.#wordsOf(resolved, value);
    if (!images.write(resolved, resolved.start, { words, at: Number.POSITIVE_INFINITY })) {
      throw new AppError("mapper/device-failure", `Cannot write "${point.property}": the register image is full`);
    }
    trace?.(file, "The value lies where masters read it");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#options.listener.close();
  }

  /** @throws AppError mapper/value-out-of-range when the value does not fit */
  #wordsOf({ form, ...point }: ResolvedPoint, value: Value): ArrayLike<number> {
    switch (form.is) {
      case "coil":
        return [form.of(value) ? 1 : 0];
      case "registers": {
        const bytes = form.of(value);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        return Uint16Array.from({ length: bytes.length >> 1 }, (_, i) => view.getUint16(i * 2));
      }
      case "mask": {
        const { bits, value: set } = form.of(value);
        const word = new Uint16Array(1);
        this.#options.images.read(point, point.start, word);
        return [(word[0]! & ~bits) | set];
      }
    }
  }

  #check(signal: AbortSignal): void {
    if (signal.aborted) throw new AppError("aborted", "The work was called off", { cause: signal.reason });
    if (this.#isClosed) throw new AppError("aborted", "The connection is closed");
  }

  #resolve(points: readonly ModbusPoint[]): readonly Resolved[] {
    let resolved = this.#resolved.get(points);
    if (resolved === undefined) {
      resolved = points.map((point): Resolved => {
        this.#options.units.name(point.address.unitId);
        try {
          return { point: resolvePoint(point) };
        } catch (error) {
          return { impossible: codeOf(error) };
        }
      });
      this.#resolved.set(points, resolved);
    }
    return resolved;
  }

  #readPoint(point: ResolvedPoint, row: number, sink: ReadSink): void {
    const { images, clock, staleAfterMs } = this.#options;
    const words = new Uint16Array(point.length);
    const oldest = images.read(point, point.start, words);
    const ageMs = (clock.monotonic() - oldest) / 1000;
    if (oldest === 0) sink.bad(row, "mapper/never-written");
    else if (staleAfterMs !== null && ageMs > staleAfterMs) sink.bad(row, "mapper/timeout");
    else report(point, words, row, sink);
  }
}

function report(point: ResolvedPoint, words: Uint16Array, row: number, sink: ReadSink): void {
  // As it would stand in an answer: bits from the lowest (6.1), registers high byte first (4.2).
  const data = new DataView(new ArrayBuffer(words.length * 2));
  if (isBitTable(point.table)) data.setUint8(0, words[0]!);
  else for (const [i, word] of words.entries()) data.setUint16(i * 2, word);
  const value = point.valueAt(data, 0);
  if (value === null) sink.bad(row, point.reasonAt(data, 0));
  else sink.good(row, value);
}
