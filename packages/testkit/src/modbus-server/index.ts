export { type ExceptionName, ModbusException, modbusExceptions, modbusFunctions } from "./codes.ts";
export { encodeFrame, FrameSplitter, type ModbusFrame } from "./frame.ts";
export * from "./modbus-server.ts";
export * from "./registers.ts";
export * from "./request.ts";
export type { ServerStats } from "./stats.ts";
export * from "./treatment.ts";
export * from "./unit.ts";
