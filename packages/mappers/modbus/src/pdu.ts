/** The bytes of questions and answers, without what carries them. @source Modbus Application Protocol V1.1b3, 6 */
import { AppError } from "@penstock/model";
import { ModbusException } from "./exception.ts";

export const tables = ["coil", "discrete", "input", "holding"] as const;
export type Table = (typeof tables)[number];

// Modbus Application Protocol V1.1b3, 5.1: public function codes
export const functions = {
  readCoils: 1,
  readDiscreteInputs: 2,
  readHoldingRegisters: 3,
  readInputRegisters: 4,
  writeSingleCoil: 5,
  writeSingleRegister: 6,
  writeMultipleCoils: 15,
  writeMultipleRegisters: 16,
  maskWriteRegister: 22,
  readWriteRegisters: 23,
} as const;

const readFunctions = {
  coil: functions.readCoils,
  discrete: functions.readDiscreteInputs,
  holding: functions.readHoldingRegisters,
  input: functions.readInputRegisters,
} as const satisfies Record<Table, number>;

export function isBitTable(table: Table): boolean {
  return table === "coil" || table === "discrete";
}

/** Most that one question may ask for: 2000 bits (6.1, 6.2) or 125 registers (6.3, 6.4). */
export function maxQuantity(table: Table): number {
  return isBitTable(table) ? 2000 : 125;
}

/** Most that one question may write: 1968 coils (6.11), 123 registers (6.12), or 121 with reading back (6.17). */
export const maxWrittenCoils = 1968;
export const maxWrittenRegisters = 123;
export const maxReadBackRegisters = 121;

/** @param quantity bits or registers, 1..maxQuantity */
export function encodeRead(table: Table, start: number, quantity: number): Uint8Array {
  return Uint8Array.of(readFunctions[table], start >> 8, start & 255, quantity >> 8, quantity & 255);
}

/**
 * Checks an answer to `encodeRead` and takes its data.
 *
 * @returns bits, eight to a byte from the lowest (6.1), or registers, high byte first (4.2)
 * @throws ModbusException; AppError mapper/bad-answer for another function, byte count or length
 */
export function decodeRead(table: Table, quantity: number, answer: Uint8Array): Uint8Array {
  checkFunction(readFunctions[table], answer);
  const bytes = isBitTable(table) ? (quantity + 7) >> 3 : quantity * 2;
  if (answer[1] !== bytes || answer.length !== 2 + bytes) {
    throw badAnswer(`byte count ${answer[1]} in ${answer.length} bytes, expected ${bytes} in ${2 + bytes}`);
  }
  return answer.subarray(2);
}

/** A question that changes something, and what its answer must be. */
export interface WriteRequest {
  readonly pdu: Uint8Array;
  /** the answer, byte by byte: each write answers with an echo */
  readonly echo: Uint8Array;
  /** the echo is what the device holds now, which may be something else */
  readonly isReadBack?: true;
}

/** 6.5: ON is FF00, OFF is 0000, and nothing else is legal. */
export function encodeWriteCoil(start: number, value: boolean): WriteRequest {
  const pdu = Uint8Array.of(functions.writeSingleCoil, start >> 8, start & 255, value ? 0xff : 0, 0);
  return { pdu, echo: pdu };
}

/** 6.6 @param bytes two, high byte first */
export function encodeWriteRegister(start: number, bytes: Uint8Array): WriteRequest {
  const pdu = Uint8Array.of(functions.writeSingleRegister, start >> 8, start & 255, bytes[0]!, bytes[1]!);
  return { pdu, echo: pdu };
}

/** 6.11: at most 1968 coils, eight to a byte from the lowest. */
export function encodeWriteCoils(start: number, values: readonly boolean[]): WriteRequest {
  const data = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, i) => {
    if (value) data[i >> 3]! |= 1 << (i & 7);
  });
  return multiple(functions.writeMultipleCoils, start, values.length, data);
}

/** 6.12: at most 123 registers. @param bytes two for each register, high byte first */
export function encodeWriteRegisters(start: number, bytes: Uint8Array): WriteRequest {
  return multiple(functions.writeMultipleRegisters, start, bytes.length >> 1, bytes);
}

/** 6.16: register = (register AND `and`) OR (`or` AND NOT `and`), in the device, so that nothing comes between. */
export function encodeMaskWrite(start: number, { bits, value }: { bits: number; value: number }): WriteRequest {
  const and = ~bits & 0xffff;
  const pdu = Uint8Array.of(
    functions.maskWriteRegister,
    start >> 8,
    start & 255,
    and >> 8,
    and & 255,
    value >> 8,
    value & 255,
  );
  return { pdu, echo: pdu };
}

/** 6.17: writes registers, then reads the same ones: the answer must be what was written. At most 121. */
export function encodeWriteReadBack(start: number, bytes: Uint8Array): WriteRequest {
  const quantity = bytes.length >> 1;
  const range = [start >> 8, start & 255, quantity >> 8, quantity & 255];
  const pdu = Uint8Array.of(functions.readWriteRegisters, ...range, ...range, bytes.length, ...bytes);
  return { pdu, echo: Uint8Array.of(functions.readWriteRegisters, bytes.length, ...bytes), isReadBack: true };
}

function multiple(code: number, start: number, quantity: number, data: Uint8Array): WriteRequest {
  const echo = Uint8Array.of(code, start >> 8, start & 255, quantity >> 8, quantity & 255);
  const pdu = new Uint8Array(6 + data.length);
  pdu.set(echo);
  pdu[5] = data.length;
  pdu.set(data, 6);
  return { pdu, echo };
}

/**
 * @throws ModbusException; AppError mapper/value-refused when the device read back something else, mapper/bad-answer when
 * the answer is not the echo
 */
export function checkWritten(request: WriteRequest, answer: Uint8Array): void {
  checkFunction(request.echo[0]!, answer);
  const { echo } = request;
  if (answer.length !== echo.length || echo.some((byte, i) => byte !== answer[i])) {
    if (request.isReadBack && answer.length === echo.length && answer[1] === echo[1]) {
      const [wrote, holds] = [hex(echo.subarray(2)), hex(answer.subarray(2))];
      throw new AppError("mapper/value-refused", `Device did not keep "${wrote}": it holds "${holds}"`);
    }
    throw badAnswer(`"${hex(answer)}", expected the echo "${hex(echo)}"`);
  }
}

/** 7: an exception answers with the function's highest bit set and one byte of reason. */
function checkFunction(asked: number, answer: Uint8Array): void {
  const got = answer[0];
  if (got === asked) return;
  if (got === (asked | 0x80) && answer.length === 2) throw new ModbusException(answer[1]!, asked);
  throw badAnswer(`function ${got} in ${answer.length} bytes, expected ${asked}`);
}

function badAnswer(what: string): AppError {
  return new AppError("mapper/bad-answer", `Cannot read Modbus answer: ${what}`);
}
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
