export * from "./clock.ts";
export * from "./files.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./metrics-registry.ts";
export * from "./pino-log.ts";
export * from "./random.ts";
export * from "./system-clock.ts";
