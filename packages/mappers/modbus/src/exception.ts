import { AppError, type ErrorCode } from "@penstock/model";

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
}

/**
 * What a device says when it refuses. 7 stands in older manuals only.
 * @source Modbus Application Protocol V1.1b3, 7, table of exception codes
 */
const meanings: Readonly<Record<number, Meaning>> = {
  1: { code: "mapper/function-unsupported", says: "illegal function" },
  2: { code: "mapper/bad-address", says: "illegal data address" },
  3: { code: "mapper/value-refused", says: "illegal data value" },
  4: { code: "mapper/device-failure", says: "server device failure" },
  5: { code: "mapper/device-busy", says: "acknowledge, the request takes long" },
  6: { code: "mapper/device-busy", says: "server device busy" },
  7: { code: "mapper/device-failure", says: "negative acknowledge" },
  8: { code: "mapper/device-failure", says: "memory parity error" },
  10: { code: "mapper/gateway-no-response", says: "gateway path unavailable" },
  11: { code: "mapper/gateway-no-response", says: "gateway target device failed to respond" },
};
// 9 has never been assigned, and so is everything above 11: the device breaks the protocol.
const unknown: Meaning = { code: "mapper/bad-answer", says: "a code that the protocol does not have" };

// Functions 1 to 4 read: "illegal data value" can then only mean the quantity or the range asked for.
const isRead = (code: number) => code <= 4;

/** A device's refusal, with its code as it stood on the wire. */
export class ModbusException extends AppError {
  readonly exception: number;
  constructor(exception: number, functionCode: number) {
    const { code, says } = meanings[exception] ?? unknown;
    const which = exception === 3 && isRead(functionCode) ? "mapper/bad-address" : code;
    super(which, `Device refused function ${functionCode}: exception ${exception}, ${says}`);
    this.exception = exception;
  }
  /** the range asked for is not all there, so that a part of it may be */
  get isAboutRange(): boolean {
    return this.code === "mapper/bad-address";
  }
}
