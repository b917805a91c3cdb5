import { AppError, type Value } from "@penstock/model";
import {
  encodeMaskWrite,
  encodeWriteCoil,
  encodeWriteCoils,
  encodeWriteReadBack,
  encodeWriteRegister,
  encodeWriteRegisters,
  maxReadBackRegisters,
  maxWrittenCoils,
  maxWrittenRegisters,
  type WriteRequest,
} from "./pdu.ts";
import type { ResolvedPoint } from "./resolve-point.ts";

/** One value on its way: what it is on the wire. */
export interface PlannedWrite {
  /** position in what was asked for */
  readonly row: number;
  readonly point: ResolvedPoint;
  readonly data:
    | { readonly is: "coil"; readonly on: boolean }
    | { readonly is: "registers"; readonly bytes: Uint8Array }
    | { readonly is: "mask"; readonly bits: number; readonly value: number };
}
/** Values that one question writes: adjacent coils or registers by start, or bits of one register. */
export type JoinedWrite = readonly PlannedWrite[];

/** @throws AppError mapper/value-out-of-range when the value does not fit; mapper/unsupported where nothing can be written */
export function planWrite(row: number, point: ResolvedPoint, value: Value): PlannedWrite {
  const { table, start, length, writeWith, form } = point;
  const refuse = (why: string) => new AppError("mapper/unsupported", `Cannot write ${table} ${start}: ${why}`);
  if (table === "discrete" || table === "input") throw refuse("the protocol has no function for it");
  switch (form.is) {
    case "coil":
      if (writeWith === "readWrite") throw refuse("function 23 writes registers");
      return { row, point, data: { is: "coil", on: form.of(value) } };
    case "mask":
      return { row, point, data: { is: "mask", ...form.of(value) } };
    case "registers": {
      if (writeWith === "single" && length !== 1) throw refuse(`function 6 writes one register, not ${length}`);
      if (writeWith === "readWrite" && length > maxReadBackRegisters)
        throw refuse(`function 23 writes ${maxReadBackRegisters}`);
      return { row, point, data: { is: "registers", bytes: form.of(value) } };
    }
  }
}

/**
 * Shares writes among as few questions as possible, and never writes what was not asked: only adjacent places are joined.
 * Writes of different places may change places in time; of those that touch the same one the later is made later.
 */
export function joinWrites(writes: readonly PlannedWrite[]): JoinedWrite[] {
  const joined: JoinedWrite[] = [];
  let left = writes;
  while (left.length > 0) {
    const wave: PlannedWrite[] = [];
    const later: PlannedWrite[] = [];
    for (const write of left) (later.concat(wave).some((other) => touches(other, write)) ? later : wave).push(write);
    joined.push(...joinWave(wave));
    left = later;
  }
  return joined;
}

/** Of writes that do not touch each other. */
function joinWave(wave: readonly PlannedWrite[]): JoinedWrite[] {
  const runs: PlannedWrite[][] = [];
  for (const write of wave.toSorted((a, b) => a.point.start - b.point.start)) {
    const run = runs.find((run) => continues(run, write));
    if (run === undefined) runs.push([write]);
    else run.push(write);
  }
  return runs.sort((a, b) => Math.min(...a.map(({ row }) => row)) - Math.min(...b.map(({ row }) => row)));
}

function continues(run: readonly PlannedWrite[], { point, data }: PlannedWrite): boolean {
  const [first, last] = [run[0]!, run.at(-1)!];
  if (last.data.is !== data.is || !isSameKind(last.point, point)) return false;
  if (data.is === "mask") return last.point.start === point.start;
  if (point.writeWith === "single" || last.point.start + last.point.length !== point.start) return false;
  const total = point.start + point.length - first.point.start;
  if (data.is === "coil") return total <= maxWrittenCoils;
  return total <= (point.writeWith === "readWrite" ? maxReadBackRegisters : maxWrittenRegisters);
}

function isSameKind(a: ResolvedPoint, b: ResolvedPoint): boolean {
  return a.unit === b.unit && a.table === b.table && a.writeWith === b.writeWith;
}

function touches(a: PlannedWrite, b: PlannedWrite): boolean {
  const [p, q] = [a.point, b.point];
  if (p.unit !== q.unit || p.table !== q.table) return false;
  if (p.start + p.length <= q.start || q.start + q.length <= p.start) return false;
  return a.data.is !== "mask" || b.data.is !== "mask" || (a.data.bits & b.data.bits) !== 0;
}

/** The question that writes them. */
export function writeRequest(writes: JoinedWrite): WriteRequest {
  const { point, data } = writes[0]!;
  const { start, writeWith } = point;
  const isMultiple = writes.length > 1 || writeWith === "multiple";
  switch (data.is) {
    case "coil":
      return isMultiple
        ? encodeWriteCoils(
            start,
            writes.map(({ data }) => data.is === "coil" && data.on),
          )
        : encodeWriteCoil(start, data.on);
    case "mask":
      return encodeMaskWrite(start, maskOf(writes));
    case "registers": {
      const bytes = Buffer.concat(writes.flatMap(({ data }) => (data.is === "registers" ? [data.bytes] : [])));
      if (writeWith === "readWrite") return encodeWriteReadBack(start, bytes);
      return isMultiple || bytes.length > 2 ? encodeWriteRegisters(start, bytes) : encodeWriteRegister(start, bytes);
    }
  }
}

/** Bits of one register, of all writes together. */
export function maskOf(writes: JoinedWrite): { readonly bits: number; readonly value: number } {
  let [bits, value] = [0, 0];
  for (const { data } of writes) {
    if (data.is !== "mask") continue;
    bits |= data.bits;
    value |= data.value;
  }
  return { bits, value };
}
