import { wordsOf } from "../modbus-server/registers.ts";
import type { BitTable, RegisterTable } from "../modbus-server/request.ts";
import { checkRange, type ModbusUnit } from "../modbus-server/unit.ts";

/** unit id of the first load device; the line's own units stand below */
export const firstLoadUnit = 10;
const lastUnit = 247;
export const propertiesPerLoadDevice = 1000;
/** `answers` and `samples`, four registers each */
const counterProperties = 2;
export const counterWords = 8;

export interface LoadShape {
  readonly floats: number;
  readonly integers: number;
}

/** `values` properties as devices of at most 1,000, each with its two counters, then floats, then 16-bit integers. */
export function loadShapes(values: number): readonly LoadShape[] {
  const shapes: LoadShape[] = [];
  for (let left = values; left > 0; left -= propertiesPerLoadDevice) {
    const own = Math.max(0, Math.min(left, propertiesPerLoadDevice) - counterProperties);
    shapes.push({ floats: Math.ceil(own / 2), integers: Math.floor(own / 2) });
  }
  if (shapes.length > lastUnit - firstLoadUnit + 1) {
    throw new RangeError(
      `Cannot simulate ${values} values: ${shapes.length} units, not 1..${lastUnit - firstLoadUnit + 1}`,
    );
  }
  return shapes;
}

/**
 * A device for load and fault runs: holding registers that change with every read.
 *
 * Registers 0..3 are `answers`, raised by every answered read of the unit, whatever it reads; 4..7 are `samples`, raised
 * by every answered read that covers it. Both are unsigned, 64 bits, ABCD, and an answer that covers them shows the raised
 * value, so each answered read of `samples` carries a number that no other does, without gaps: what a run has not
 * stored is known one by one. Values from register 8 on are functions of `answers`.
 */
export class LoadUnit implements ModbusUnit {
  answers = 0n;
  samples = 0n;
  readonly #shape: LoadShape;
  readonly #size: number;

  constructor(shape: LoadShape) {
    this.#shape = shape;
    this.#size = counterWords + shape.floats * 2 + shape.integers;
  }

  readBits(table: BitTable, start: number, count: number): readonly boolean[] {
    checkRange(table, start, count, 0);
    return [];
  }

  readRegisters(table: RegisterTable, start: number, count: number, answered: boolean): Uint16Array {
    checkRange(table, start, count, table === "holding" ? this.#size : 0);
    if (answered) {
      this.answers++;
      if (start <= counterWords / 2 && start + count >= counterWords) this.samples++;
    }
    const words = new Uint16Array(count);
    if (start < counterWords) {
      const head = [...wordsOf("uint64", "ABCD", this.answers), ...wordsOf("uint64", "ABCD", this.samples)];
      words.set(head.slice(start, start + count));
    }
    this.#fill(words, start);
    return words;
  }

  writeBits(start: number, bits: readonly boolean[]): void {
    checkRange("coil", start, bits.length, 0);
  }

  writeRegisters(start: number, words: Uint16Array): void {
    checkRange("holding", start, words.length, 0);
  }

  #fill(words: Uint16Array, start: number): void {
    const n = Number(this.answers & 0xffff_ffffn);
    const floatsEnd = counterWords + this.#shape.floats * 2;
    for (let at = Math.max(0, counterWords - start); at < words.length; at++) {
      const register = start + at;
      if (register >= floatsEnd) {
        words[at] = loadInteger(register - floatsEnd, n);
        continue;
      }
      pair.setFloat32(0, loadFloat((register - counterWords) >> 1, n));
      words[at] = pair.getUint16(((register - counterWords) & 1) * 2);
    }
  }
}

const pair = new DataView(new ArrayBuffer(4));

/** Value of float number `i` at the unit's nth answered read: eighths, so exact in 32 bits. */
export function loadFloat(i: number, n: number): number {
  return i + ((n * 37 + i * 11) % 1000) / 8;
}

export function loadInteger(i: number, n: number): number {
  return (n * 7 + i) & 0xffff;
}
