import { modbusFunctions as functions, ModbusException, quantityLimits } from "./codes.ts";

export type BitTable = "coil" | "discrete";
export type RegisterTable = "holding" | "input";
export type Table = BitTable | RegisterTable;

/** A request PDU, decoded. `start` is the zero-based address on the wire, not the 40001 of manuals. */
export type ModbusRequest =
  | {
      readonly kind: "read-bits";
      readonly code: number;
      readonly table: BitTable;
      readonly start: number;
      readonly count: number;
    }
  | {
      readonly kind: "read-registers";
      readonly code: number;
      readonly table: RegisterTable;
      readonly start: number;
      readonly count: number;
    }
  | { readonly kind: "write-bits"; readonly code: number; readonly start: number; readonly bits: readonly boolean[] }
  | { readonly kind: "write-registers"; readonly code: number; readonly start: number; readonly words: Uint16Array }
  /** the register becomes (itself and `and`) or (`or` and not `and`) */
  | {
      readonly kind: "mask-register";
      readonly code: number;
      readonly start: number;
      readonly and: number;
      readonly or: number;
    }
  /** written first, then read */
  | {
      readonly kind: "read-write-registers";
      readonly code: number;
      readonly start: number;
      readonly count: number;
      readonly writeStart: number;
      readonly words: Uint16Array;
    };

/** @returns true when nothing changes by it */
export function isRead(request: ModbusRequest): boolean {
  return request.kind === "read-bits" || request.kind === "read-registers";
}

/**
 * @throws ModbusException illegalFunction, illegalDataValue (quantity, byte count), illegalDataAddress (range past 65535)
 * @source Modbus Application Protocol V1.1b3, 6.1 to 6.17
 */
export function decodeRequest(pdu: Uint8Array): ModbusRequest {
  const code = pdu[0] ?? 0;
  switch (code) {
    case functions.readCoils:
    case functions.readDiscreteInputs: {
      const { start, count } = range(pdu, quantityLimits.readBits, 5);
      return { kind: "read-bits", code, table: code === functions.readCoils ? "coil" : "discrete", start, count };
    }
    case functions.readHoldingRegisters:
    case functions.readInputRegisters: {
      const { start, count } = range(pdu, quantityLimits.readRegisters, 5);
      const table = code === functions.readHoldingRegisters ? "holding" : "input";
      return { kind: "read-registers", code, table, start, count };
    }
    case functions.writeSingleCoil: {
      expectLength(pdu, 5);
      const state = word(pdu, 3);
      if (state !== 0xff00 && state !== 0) throw new ModbusException("illegalDataValue", `Coil state ${state}`);
      return { kind: "write-bits", code, start: word(pdu, 1), bits: [state !== 0] };
    }
    case functions.writeSingleRegister:
      expectLength(pdu, 5);
      return { kind: "write-registers", code, start: word(pdu, 1), words: Uint16Array.of(word(pdu, 3)) };
    case functions.writeMultipleCoils: {
      const { start, count } = range(pdu, quantityLimits.writeBits);
      const byteCount = Math.ceil(count / 8);
      if (pdu[5] !== byteCount)
        throw new ModbusException("illegalDataValue", `Byte count ${pdu[5]} for ${count} coils`);
      expectLength(pdu, 6 + byteCount);
      const bits = Array.from({ length: count }, (_, i) => ((pdu[6 + (i >> 3)]! >> (i & 7)) & 1) === 1);
      return { kind: "write-bits", code, start, bits };
    }
    case functions.writeMultipleRegisters: {
      const { start, count } = range(pdu, quantityLimits.writeRegisters);
      if (pdu[5] !== count * 2)
        throw new ModbusException("illegalDataValue", `Byte count ${pdu[5]} for ${count} words`);
      expectLength(pdu, 6 + count * 2);
      return {
        kind: "write-registers",
        code,
        start,
        words: Uint16Array.from({ length: count }, (_, i) => word(pdu, 6 + i * 2)),
      };
    }
    case functions.maskWriteRegister:
      expectLength(pdu, 7);
      return { kind: "mask-register", code, start: word(pdu, 1), and: word(pdu, 3), or: word(pdu, 5) };
    case functions.readWriteRegisters: {
      if (pdu.length < 10) throw new ModbusException("illegalDataValue", `PDU of ${pdu.length} bytes`);
      const read = checkRangeOf(word(pdu, 1), word(pdu, 3), quantityLimits.readRegisters);
      const write = checkRangeOf(word(pdu, 5), word(pdu, 7), quantityLimits.writeWhileReading);
      if (pdu[9] !== write.count * 2)
        throw new ModbusException("illegalDataValue", `Byte count ${pdu[9]} for ${write.count} words`);
      expectLength(pdu, 10 + write.count * 2);
      const words = Uint16Array.from({ length: write.count }, (_, i) => word(pdu, 10 + i * 2));
      return { kind: "read-write-registers", code, ...read, writeStart: write.start, words };
    }
    default:
      throw new ModbusException("illegalFunction", `Function ${code}`);
  }
}

function word(pdu: Uint8Array, at: number): number {
  return (pdu[at]! << 8) | pdu[at + 1]!;
}

function expectLength(pdu: Uint8Array, length: number): void {
  if (pdu.length !== length) throw new ModbusException("illegalDataValue", `PDU of ${pdu.length} bytes, not ${length}`);
}

function range(pdu: Uint8Array, most: number, length?: number): { start: number; count: number } {
  if (length !== undefined) expectLength(pdu, length);
  else if (pdu.length < 6) throw new ModbusException("illegalDataValue", `PDU of ${pdu.length} bytes`);
  return checkRangeOf(word(pdu, 1), word(pdu, 3), most);
}

function checkRangeOf(start: number, count: number, most: number): { start: number; count: number } {
  if (count < 1 || count > most) throw new ModbusException("illegalDataValue", `Quantity ${count}, not 1..${most}`);
  if (start + count > 65536) throw new ModbusException("illegalDataAddress", `${start} + ${count} is past 65535`);
  return { start, count };
}
