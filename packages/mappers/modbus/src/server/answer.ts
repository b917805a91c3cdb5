import { functions, isBitTable, maxQuantity, type Table } from "../pdu.ts";
import type { Images } from "./images.ts";

/** @source Modbus Application Protocol V1.1b3, 7 */
const exceptions = { function: 1, address: 2, value: 3, failure: 4 } as const;

export interface Asked {
  readonly unit: number;
  readonly pdu: Uint8Array;
}
export interface AnswerOptions {
  /** microseconds: when what is written counts as written */
  readonly at: number;
  /** what is read where nobody has written: refused with exception 2, or 0 */
  readonly unwritten: "refuse" | "zero";
}

/** A request that cannot be fulfilled, and what the answer says. */
class Refusal {
  readonly exception: number;
  constructor(exception: keyof typeof exceptions) {
    this.exception = exceptions[exception];
  }
}

/**
 * What a Modbus server says to a request, and what becomes of its registers. Whatever the bytes are, it answers.
 *
 * @returns answer PDU: data, echo or exception
 * @source Modbus Application Protocol V1.1b3, 6.1 to 6.17
 */
export function answerRequest(images: Images, { unit, pdu }: Asked, options: AnswerOptions): Uint8Array {
  try {
    return new Answering(images, { unit, pdu }, options).answer();
  } catch (error) {
    if (error instanceof Refusal) return Uint8Array.of(pdu[0]! | 0x80, error.exception);
    throw error;
  }
}

class Answering {
  readonly #images: Images;
  readonly #asked: Asked;
  readonly #options: AnswerOptions;

  constructor(images: Images, asked: Asked, options: AnswerOptions) {
    this.#images = images;
    this.#asked = asked;
    this.#options = options;
  }

  answer(): Uint8Array {
    const { pdu } = this.#asked;
    switch (pdu[0]) {
      case functions.readCoils:
        return this.#readBits("coil");
      case functions.readDiscreteInputs:
        return this.#readBits("discrete");
      case functions.readHoldingRegisters:
        return this.#readRegisters("holding", this.#range("holding", 1, 5));
      case functions.readInputRegisters:
        return this.#readRegisters("input", this.#range("input", 1, 5));
      case functions.writeSingleCoil: {
        this.#length(5);
        const state = this.#word(3);
        if (state !== 0 && state !== 0xff00) throw new Refusal("value");
        this.#write("coil", this.#word(1), [state === 0 ? 0 : 1]);
        return pdu;
      }
      case functions.writeSingleRegister:
        this.#length(5);
        this.#write("holding", this.#word(1), [this.#word(3)]);
        return pdu;
      case functions.writeMultipleCoils: {
        const { start, count } = this.#written(1968, (quantity) => Math.ceil(quantity / 8));
        const bit = (i: number) => (pdu[6 + (i >> 3)]! >> (i & 7)) & 1;
        this.#write(
          "coil",
          start,
          Array.from({ length: count }, (_, i) => bit(i)),
        );
        return pdu.subarray(0, 5);
      }
      case functions.writeMultipleRegisters: {
        const { start, count } = this.#written(123, (quantity) => quantity * 2);
        this.#write("holding", start, this.#words(6, count));
        return pdu.subarray(0, 5);
      }
      case functions.maskWriteRegister: {
        this.#length(7);
        const [start, and, or] = [this.#word(1), this.#word(3), this.#word(5)];
        const [before = 0] = this.#read("holding", start, 1);
        this.#write("holding", start, [(before & and) | (or & ~and & 0xffff)]);
        return pdu;
      }
      case functions.readWriteRegisters:
        return this.#readWrite("holding");
      default:
        throw new Refusal("function");
    }
  }

  #readBits(table: Table): Uint8Array {
    const { start, count } = this.#range(table, 1, 5);
    const read = this.#read(table, start, count);
    const answer = new Uint8Array(2 + Math.ceil(count / 8));
    answer[0] = this.#asked.pdu[0]!;
    answer[1] = answer.length - 2;
    for (let i = 0; i < count; i++) if (read[i] === 1) answer[2 + (i >> 3)]! |= 1 << (i & 7);
    return answer;
  }

  #readRegisters(table: Table, { start, count }: { start: number; count: number }): Uint8Array {
    const read = this.#read(table, start, count);
    const answer = new Uint8Array(2 + count * 2);
    answer[0] = this.#asked.pdu[0]!;
    answer[1] = count * 2;
    const view = new DataView(answer.buffer);
    for (let i = 0; i < count; i++) view.setUint16(2 + i * 2, read[i]!);
    return answer;
  }

  /** 6.17: the write comes before the read; but what cannot be read must not have been written either */
  #readWrite(table: Table): Uint8Array {
    const { pdu } = this.#asked;
    if (pdu.length < 10) throw new Refusal("value");
    const read = checkRange(this.#word(1), this.#word(3), 125);
    const write = checkRange(this.#word(5), this.#word(7), 121);
    if (pdu[9] !== write.count * 2) throw new Refusal("value");
    this.#length(10 + write.count * 2);
    for (let place = read.start; place < read.start + read.count; place++) {
      if (place < write.start || place >= write.start + write.count) this.#read(table, place, 1);
    }
    this.#write(table, write.start, this.#words(10, write.count));
    return this.#readRegisters(table, read);
  }

  #read(table: Table, start: number, count: number): Uint16Array {
    const words = new Uint16Array(count);
    const oldest = this.#images.read({ unit: this.#asked.unit, table }, start, words);
    if (oldest === 0 && this.#options.unwritten === "refuse") throw new Refusal("address");
    return words;
  }

  #write(table: Table, start: number, words: ArrayLike<number>): void {
    const area = { unit: this.#asked.unit, table };
    if (!this.#images.write(area, start, { words, at: this.#options.at })) throw new Refusal("failure");
  }

  #range(table: Table, at: number, length: number): { start: number; count: number } {
    this.#length(length);
    return checkRange(this.#word(at), this.#word(at + 2), maxQuantity(isBitTable(table) ? "coil" : "holding"));
  }

  #written(most: number, bytesOf: (count: number) => number): { start: number; count: number } {
    const { pdu } = this.#asked;
    if (pdu.length < 6) throw new Refusal("value");
    const range = checkRange(this.#word(1), this.#word(3), most);
    const bytes = bytesOf(range.count);
    if (pdu[5] !== bytes) throw new Refusal("value");
    this.#length(6 + bytes);
    return range;
  }

  #length(length: number): void {
    if (this.#asked.pdu.length !== length) throw new Refusal("value");
  }

  #word(at: number): number {
    return (this.#asked.pdu[at]! << 8) | this.#asked.pdu[at + 1]!;
  }

  #words(at: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.#word(at + i * 2));
  }
}

/** 6: quantity first, then the range (flow charts of each function) */
function checkRange(start: number, count: number, most: number): { start: number; count: number } {
  if (count < 1 || count > most) throw new Refusal("value");
  if (start + count > 65_536) throw new Refusal("address");
  return { start, count };
}
