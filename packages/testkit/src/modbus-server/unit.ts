import { ModbusException } from "./codes.ts";
import type { BitTable, RegisterTable, Table } from "./request.ts";

/**
 * One device behind the server's address. Every method throws ModbusException for what the device refuses.
 *
 * `answered` tells a read whose answer will reach the client unharmed from one that a treatment spoils: only the former
 * may raise a counter of answered reads.
 */
export interface ModbusUnit {
  readBits(table: BitTable, start: number, count: number, answered: boolean): readonly boolean[];
  /** the result may be reused by the next call */
  readRegisters(table: RegisterTable, start: number, count: number, answered: boolean): Uint16Array;
  writeBits(start: number, bits: readonly boolean[]): void;
  writeRegisters(start: number, words: Uint16Array): void;
}

export interface MemorySizes {
  readonly coil?: number;
  readonly discrete?: number;
  readonly holding?: number;
  readonly input?: number;
}

/** A unit that is plain memory; tests write its tables directly. Whatever is past a table's size does not exist. */
export class MemoryUnit implements ModbusUnit {
  readonly coil: boolean[];
  readonly discrete: boolean[];
  readonly holding: Uint16Array;
  readonly input: Uint16Array;

  constructor(sizes: MemorySizes) {
    this.coil = new Array<boolean>(sizes.coil ?? 0).fill(false);
    this.discrete = new Array<boolean>(sizes.discrete ?? 0).fill(false);
    this.holding = new Uint16Array(sizes.holding ?? 0);
    this.input = new Uint16Array(sizes.input ?? 0);
  }

  readBits(table: BitTable, start: number, count: number): readonly boolean[] {
    checkRange(table, start, count, this[table].length);
    return this[table].slice(start, start + count);
  }

  readRegisters(table: RegisterTable, start: number, count: number): Uint16Array {
    checkRange(table, start, count, this[table].length);
    return this[table].subarray(start, start + count);
  }

  writeBits(start: number, bits: readonly boolean[]): void {
    checkRange("coil", start, bits.length, this.coil.length);
    for (const [i, bit] of bits.entries()) this.coil[start + i] = bit;
  }

  writeRegisters(start: number, words: Uint16Array): void {
    checkRange("holding", start, words.length, this.holding.length);
    this.holding.set(words, start);
  }
}

/** @throws ModbusException illegalDataAddress */
export function checkRange(table: Table, start: number, count: number, size: number): void {
  if (start + count > size) {
    throw new ModbusException("illegalDataAddress", `${table} ${start}..${start + count - 1} is past ${size - 1}`);
  }
}
