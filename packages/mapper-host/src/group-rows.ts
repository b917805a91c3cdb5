import type { PointResult, ReadSink } from "@penstock/mapper-sdk";
import {
  type Column,
  type DeviceUid,
  type ErrorCode,
  emptyColumn,
  flagBad,
  flagGood,
  flagNull,
  flagUncertain,
  type Layout,
  type Micros,
  type ReadingBatch,
  type Value,
  type ValueType,
  valueTypes,
} from "@penstock/model";
import { encodeBatchBody, type PointSpec } from "@penstock/wire";
import { put, type Writable } from "./value-problem.ts";

/** Row not reported yet; no flag byte has this bit. */
const unset = 0x80;

/**
 * The rows of one group, filled by one read after the other and encoded each time. Values go straight into columns that
 * are used again, so that a reading costs no object.
 */
export class GroupRows {
  readonly #layout: Layout;
  readonly #types: readonly ValueType[];
  /** which column a row lies in, and where in it */
  readonly #columnOf: readonly Writable[];
  readonly #placeOf: readonly number[];
  readonly #columns: readonly (Column | undefined)[];
  readonly #flags: Uint8Array;
  readonly #reasonIndex: Uint8Array;
  readonly #times: Float64Array;
  #reasons: ErrorCode[] = [];

  constructor(device: string, points: readonly PointSpec[]) {
    const properties = points.map(({ property: name, type }) => ({ name, type }));
    this.#layout = { id: 0, device: device as DeviceUid, properties }; // the agent names the device by its uid
    this.#types = points.map(({ type }) => type);
    const counts = new Map<ValueType, number>();
    this.#placeOf = this.#types.map((type) => {
      const place = counts.get(type) ?? 0;
      counts.set(type, place + 1);
      return place;
    });
    this.#columns = valueTypes.map((type) => (counts.has(type) ? emptyColumn(type, counts.get(type)!) : undefined));
    this.#columnOf = this.#types.map((type) => this.#columns[valueTypes.indexOf(type)] as unknown as Writable);
    this.#flags = new Uint8Array(points.length);
    this.#reasonIndex = new Uint8Array(points.length);
    this.#times = new Float64Array(points.length);
  }

  /** forgets what the read before has left */
  begin(): void {
    this.#flags.fill(unset);
    this.#reasonIndex.fill(0);
    this.#reasons = [];
  }

  /** @param time microseconds of the monotonic clock */
  good(row: number, value: Value, time: number): void {
    const column = this.#columnOf[row];
    if (column === undefined) return;
    const type = this.#types[row]!;
    const problem = put(column, this.#placeOf[row]!, type, value);
    if (problem !== null) {
      this.bad(row, problem, time);
      return;
    }
    this.#flags[row] = flagGood;
    this.#times[row] = time;
  }

  bad(row: number, reason: ErrorCode, time: number): void {
    const column = this.#columnOf[row];
    if (column === undefined) return;
    column[this.#placeOf[row]!] = emptyOf(this.#types[row]!);
    this.#flags[row] = flagBad | flagNull;
    this.#reasonIndex[row] = this.#reason(reason);
    this.#times[row] = time;
  }

  take(row: number, result: PointResult, now: number): void {
    const time = result.monotonic ?? now;
    const { value, reason } = result;
    if (value === null) {
      this.bad(row, reason ?? "mapper/bad-answer", time);
      return;
    }
    this.good(row, value, time);
    const quality = result.quality ?? (reason === undefined ? "good" : "bad");
    if (quality === "good" || this.#flags[row] !== flagGood) return;
    this.#flags[row] = quality === "bad" ? flagBad : flagUncertain;
    if (reason !== undefined) this.#reasonIndex[row] = this.#reason(reason);
  }

  /** every row that nobody has reported is bad, with this reason */
  fill(reason: ErrorCode, time: number): void {
    for (let row = 0; row < this.#flags.length; row++) {
      if (this.#flags[row] === unset) this.bad(row, reason, time);
    }
  }

  /** After `fill`: one row per point, in their order. */
  encode(): Uint8Array {
    const count = this.#flags.length;
    const baseTime = this.#times[0] ?? 0;
    const offsets = new Int32Array(count);
    let isAllGood = true;
    let isOneTime = true;
    for (let row = 0; row < count; row++) {
      const offset = this.#times[row]! - baseTime;
      offsets[row] = offset;
      if (offset !== 0) isOneTime = false;
      if (this.#flags[row] !== flagGood) isAllGood = false;
    }
    const batch: ReadingBatch = {
      layout: this.#layout,
      count,
      index: null,
      baseTime: baseTime as Micros, // monotonic until the agent has added its offset
      offsets: isOneTime ? null : offsets,
      flags: isAllGood ? null : this.#flags,
      reasonIndex: this.#reasons.length === 0 ? null : this.#reasonIndex,
      reasons: this.#reasons,
      columns: this.#columns,
      clock: null,
    };
    return encodeBatchBody(batch);
  }

  /** @returns 1.. as a batch wants it */
  #reason(reason: ErrorCode): number {
    const known = this.#reasons.indexOf(reason);
    return known >= 0 ? known + 1 : this.#reasons.push(reason);
  }
}

/** A sink for one read that hears nothing any more once the read is over, however late its driver reports. */
export function openSink(options: {
  rows: GroupRows;
  /** position in the group of each point that the driver was asked for */
  rowOf: readonly number[];
  now: number;
}): { readonly sink: ReadSink; close(): void } {
  const { rows, rowOf } = options;
  let time = options.now;
  let isOpen = true;
  return {
    sink: {
      at: (monotonic) => {
        time = monotonic;
      },
      good: (row, value) => {
        if (isOpen) rows.good(rowOf[row] ?? -1, value, time);
      },
      bad: (row, reason) => {
        if (isOpen) rows.bad(rowOf[row] ?? -1, reason, time);
      },
    },
    close: () => {
      isOpen = false;
    },
  };
}

function emptyOf(type: ValueType): unknown {
  if (type === "int64" || type === "uint64") return 0n;
  if (type === "string") return "";
  if (type === "json") return "null";
  return type === "bytes" ? new Uint8Array(0) : 0;
}
