import { ModbusException } from "../modbus-server/codes.ts";
import { numberOf, rawWords, wordsOf } from "../modbus-server/registers.ts";
import type { BitTable, RegisterTable } from "../modbus-server/request.ts";
import { checkRange, type ModbusUnit } from "../modbus-server/unit.ts";
import type { PlantClockwork } from "./clockwork.ts";
import { type MapEntry, type PlantDevice, plantUnits, registerMap } from "./register-map.ts";

/** every table of a unit exists up to here; what the map does not name reads as zero, as in a controller's memory block */
const tableSize = 32;

/** One controller of the line behind its own unit id, answering from the register map. */
class PlantUnit implements ModbusUnit {
  readonly #entries: readonly MapEntry[];
  readonly #clockwork: PlantClockwork;

  constructor(device: PlantDevice, clockwork: PlantClockwork) {
    this.#entries = registerMap.filter((entry) => entry.device === device);
    this.#clockwork = clockwork;
  }

  readBits(table: BitTable, start: number, count: number): readonly boolean[] {
    checkRange(table, start, count, tableSize);
    const line = this.#clockwork.line();
    const bits = new Array<boolean>(count).fill(false);
    for (const entry of this.#entries) {
      const at = entry.offset - start;
      if (entry.table === table && at >= 0 && at < count) bits[at] = entry.read(line) === true;
    }
    return bits;
  }

  readRegisters(table: RegisterTable, start: number, count: number): Uint16Array {
    checkRange(table, start, count, tableSize);
    const line = this.#clockwork.line();
    // The whole table, then a cut: a request may begin or end inside a value.
    const words = new Uint16Array(tableSize);
    for (const entry of this.#entries) {
      if (entry.table !== table || entry.raw === undefined) continue;
      const value = entry.read(line);
      const counts = entry.scale === undefined ? value : Math.round(Number(value) / entry.scale);
      words.set(wordsOf(entry.raw, entry.wordOrder ?? "ABCD", typeof counts === "boolean" ? 0 : counts), entry.offset);
    }
    return words.subarray(start, start + count);
  }

  writeBits(start: number, bits: readonly boolean[]): void {
    checkRange("coil", start, bits.length, tableSize);
    const writes = bits.map((bit, i) => {
      const entry = this.#entries.find((candidate) => candidate.table === "coil" && candidate.offset === start + i);
      if (entry?.write === undefined)
        throw new ModbusException("illegalDataAddress", `Coil ${start + i} is not writable`);
      return { write: entry.write, bit };
    });
    for (const { write, bit } of writes) this.#clockwork.change((line) => write(line, bit));
  }

  /** All or nothing: every value is checked before the first is taken. */
  writeRegisters(start: number, words: Uint16Array): void {
    checkRange("holding", start, words.length, tableSize);
    const writes: { write: NonNullable<MapEntry["write"]>; value: number }[] = [];
    for (let at = 0; at < words.length; ) {
      const entry = this.#entries.find((candidate) => candidate.table === "holding" && candidate.offset === start + at);
      if (entry?.write === undefined || entry.raw === undefined) {
        throw new ModbusException("illegalDataAddress", `Register ${start + at} is not writable`);
      }
      const width = rawWords[entry.raw];
      // Half a value is none: a controller that took it would run at a speed nobody asked for.
      if (at + width > words.length) throw new ModbusException("illegalDataValue", `Part of "${entry.property}" only`);
      const counts = Number(numberOf(entry.raw, entry.wordOrder ?? "ABCD", words.subarray(at, at + width)));
      const value = entry.scale === undefined ? counts : counts * entry.scale;
      if (
        !(value >= (entry.minimum ?? Number.NEGATIVE_INFINITY) && value <= (entry.maximum ?? Number.POSITIVE_INFINITY))
      ) {
        throw new ModbusException("illegalDataValue", `"${entry.property}": ${value} is out of range`);
      }
      writes.push({ write: entry.write, value });
      at += width;
    }
    for (const { write, value } of writes) this.#clockwork.change((line) => write(line, value));
  }
}

export function plantModbusUnits(clockwork: PlantClockwork): Map<number, ModbusUnit> {
  const devices = Object.keys(plantUnits) as PlantDevice[];
  return new Map(devices.map((device) => [plantUnits[device], new PlantUnit(device, clockwork)]));
}
