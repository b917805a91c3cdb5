export * from "./press-plc.ts";
export * from "./s7-memory.ts";
export * from "./s7-server.ts";
