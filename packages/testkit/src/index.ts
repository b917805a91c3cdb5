export * from "./modbus-server/index.ts";
