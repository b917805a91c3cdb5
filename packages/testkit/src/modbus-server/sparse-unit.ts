import { ModbusException } from "./codes.ts";
import type { BitTable, RegisterTable, Table } from "./request.ts";
import { type MemorySizes, MemoryUnit } from "./unit.ts";

/** Memory with holes: a request that touches a place which does not exist is refused as a whole, as devices do. */
export class SparseUnit extends MemoryUnit {
  /** for each place of a table: how many places before it do not exist, so that a range costs two look-ups */
  readonly #missing: Readonly<Record<Table, Uint32Array>>;

  /** @param exists asked once for every place */
  constructor(sizes: MemorySizes, exists: (table: Table, address: number) => boolean) {
    super(sizes);
    const missing = (table: Table) => {
      const counts = new Uint32Array(this[table].length + 1);
      for (let at = 0; at < this[table].length; at++) counts[at + 1] = counts[at]! + (exists(table, at) ? 0 : 1);
      return counts;
    };
    this.#missing = {
      coil: missing("coil"),
      discrete: missing("discrete"),
      holding: missing("holding"),
      input: missing("input"),
    };
  }

  override readBits(table: BitTable, start: number, count: number): readonly boolean[] {
    const bits = super.readBits(table, start, count);
    this.#check(table, start, count);
    return bits;
  }

  override readRegisters(table: RegisterTable, start: number, count: number): Uint16Array {
    const words = super.readRegisters(table, start, count);
    this.#check(table, start, count);
    return words;
  }

  override writeBits(start: number, bits: readonly boolean[]): void {
    this.#check("coil", start, bits.length);
    super.writeBits(start, bits);
  }

  override writeRegisters(start: number, words: Uint16Array): void {
    this.#check("holding", start, words.length);
    super.writeRegisters(start, words);
  }

  /** A range past the end is for the memory itself to refuse: beyond it there are no counts. */
  #check(table: Table, start: number, count: number): void {
    const counts = this.#missing[table];
    if ((counts[start + count] ?? 0) > (counts[start] ?? 0)) {
      throw new ModbusException("illegalDataAddress", `${table} ${start}..${start + count - 1} has a hole`);
    }
  }
}

/** For `SparseUnit`: a given share of places is missing, the same ones for the same seed. */
export function withHoles(percent: number, seed: number): (table: Table, address: number) => boolean {
  return (table, address) => {
    // One step of a 32-bit mixer (MurmurHash3's finalizer) spreads neighbouring addresses evenly.
    let hash = (address * 4 + ["coil", "discrete", "input", "holding"].indexOf(table)) ^ Math.imul(seed, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 >= percent / 100;
  };
}
