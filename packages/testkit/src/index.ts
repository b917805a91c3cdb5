export * from "./modbus-server/index.ts";
export * from "./plant/index.ts";
