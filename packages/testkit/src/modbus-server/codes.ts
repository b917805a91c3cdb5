/**
 * Function and exception codes, as this server speaks them.
 *
 * @source Modbus Application Protocol V1.1b3, 5.1 (functions) and 7 (exceptions)
 */
export const modbusFunctions = {
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

export const modbusExceptions = {
  illegalFunction: 1,
  illegalDataAddress: 2,
  illegalDataValue: 3,
  deviceFailure: 4,
  deviceBusy: 6,
  gatewayPathUnavailable: 10,
  gatewayNoResponse: 11,
} as const;
export type ExceptionName = keyof typeof modbusExceptions;

/** Thrown by a unit; becomes an exception answer, never a crash of the server. */
export class ModbusException extends Error {
  readonly exception: ExceptionName;
  constructor(exception: ExceptionName, message: string) {
    super(message);
    this.name = "ModbusException";
    this.exception = exception;
  }
}

/** @source Modbus Application Protocol V1.1b3, 6.1 to 6.17: the most one request may ask for */
export const quantityLimits = {
  readBits: 2000,
  readRegisters: 125,
  writeBits: 1968,
  writeRegisters: 123,
  /** written by function 23, which reads besides */
  writeWhileReading: 121,
} as const;
