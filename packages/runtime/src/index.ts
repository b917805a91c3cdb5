export * from "./clock.ts";
export * from "./files.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./random.ts";
