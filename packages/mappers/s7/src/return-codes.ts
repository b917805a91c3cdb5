import { AppError, type ErrorCode } from "@penstock/model";

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
}

/** What a PLC says of one item. @source Wireshark, packet-s7comm.c, return values of items */
const meanings: Readonly<Record<number, Meaning>> = {
  1: { code: "mapper/device-failure", says: "hardware error" },
  3: { code: "mapper/access-denied", says: "access is not allowed" },
  5: { code: "mapper/bad-address", says: "the address is out of range" },
  6: { code: "mapper/unsupported", says: "the data type is not supported" },
  7: { code: "mapper/unsupported", says: "the data type does not fit" },
  10: { code: "mapper/bad-address", says: "there is no such object" },
};
const unknown: Meaning = { code: "mapper/bad-answer", says: "a code that the protocol does not have" };

/** What a PLC says of a whole job: class in the upper byte. @source Wireshark, packet-s7comm.c, error classes */
const classes: Readonly<Record<number, Meaning>> = {
  129: { code: "mapper/function-unsupported", says: "application relationship" },
  130: { code: "mapper/bad-address", says: "object definition" },
  131: { code: "mapper/device-busy", says: "no resources available" },
  132: { code: "mapper/device-failure", says: "service processing" },
  133: { code: "mapper/device-failure", says: "fault on supplies" },
  135: { code: "mapper/access-denied", says: "access error" },
};

/** The refusal of one item, with its code as it stood on the wire. */
export class ItemRefused extends AppError {
  readonly returnCode: number;
  constructor(returnCode: number) {
    const { code, says } = meanings[returnCode] ?? unknown;
    super(code, `PLC refused: return code 0x${returnCode.toString(16).padStart(2, "0")}, ${says}`);
    this.returnCode = returnCode;
  }
  /** it will be refused again until somebody changes the PLC or the address */
  get isLasting(): boolean {
    return this.code !== "mapper/device-failure" && this.code !== "mapper/bad-answer";
  }
  /** only a part of what was asked for may be refused: not so a data block that is not there, or protected */
  get isAboutPlace(): boolean {
    return this.returnCode === 5 || this.returnCode === 6 || this.returnCode === 7;
  }
}

/** The refusal of a whole job: items of another job may be answered. */
export function jobRefused(error: number): AppError {
  const { code, says } = classes[error >> 8] ?? unknown;
  return new AppError(code, `PLC refused the job: error 0x${error.toString(16).padStart(4, "0")}, ${says}`);
}
