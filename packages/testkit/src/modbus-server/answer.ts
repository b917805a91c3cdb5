import { type ExceptionName, ModbusException, modbusExceptions } from "./codes.ts";
import type { ModbusRequest } from "./request.ts";
import type { ModbusUnit } from "./unit.ts";

export function exceptionAnswer(code: number, exception: ExceptionName): Uint8Array {
  return Uint8Array.of(code | 0x80, modbusExceptions[exception]);
}

/** The answer PDU of one request; what the unit refuses becomes an exception PDU. Writes take effect here. */
export function answerRequest(unit: ModbusUnit, request: ModbusRequest, answered: boolean): Uint8Array {
  try {
    switch (request.kind) {
      case "read-bits":
        return packBits(request.code, unit.readBits(request.table, request.start, request.count, answered));
      case "read-registers":
        return packWords(request.code, unit.readRegisters(request.table, request.start, request.count, answered));
      case "write-bits":
        unit.writeBits(request.start, request.bits);
        // A single write is echoed whole, a multiple one answers with its quantity (V1.1b3, 6.5 and 6.11).
        return header(
          request.code,
          request.start,
          request.code === 5 ? (request.bits[0] ? 0xff00 : 0) : request.bits.length,
        );
      case "write-registers":
        unit.writeRegisters(request.start, request.words);
        return header(request.code, request.start, request.code === 6 ? request.words[0]! : request.words.length);
      case "mask-register": {
        const [before = 0] = unit.readRegisters("holding", request.start, 1, false);
        unit.writeRegisters(
          request.start,
          Uint16Array.of((before & request.and) | (request.or & ~request.and & 0xffff)),
        );
        return Uint8Array.of(...header(request.code, request.start, request.and), request.or >> 8, request.or & 0xff);
      }
      case "read-write-registers":
        // 6.17: the write comes first, so that what was just written may be read.
        unit.writeRegisters(request.writeStart, request.words);
        return packWords(request.code, unit.readRegisters("holding", request.start, request.count, answered));
    }
  } catch (error) {
    if (error instanceof ModbusException) return exceptionAnswer(request.code, error.exception);
    throw error;
  }
}

function packBits(code: number, bits: readonly boolean[]): Uint8Array {
  const pdu = new Uint8Array(2 + Math.ceil(bits.length / 8));
  pdu[0] = code;
  pdu[1] = pdu.length - 2;
  for (const [i, bit] of bits.entries()) if (bit) pdu[2 + (i >> 3)]! |= 1 << (i & 7);
  return pdu;
}

function packWords(code: number, words: Uint16Array): Uint8Array {
  const pdu = new Uint8Array(2 + words.length * 2);
  pdu[0] = code;
  pdu[1] = words.length * 2;
  for (let i = 0; i < words.length; i++) {
    pdu[2 + i * 2] = words[i]! >> 8;
    pdu[3 + i * 2] = words[i]! & 0xff;
  }
  return pdu;
}

function header(code: number, start: number, last: number): Uint8Array {
  return Uint8Array.of(code, start >> 8, start & 0xff, last >> 8, last & 0xff);
}
