export * from "./host.ts";
export * from "./load-mapper.ts";
export * from "./run.ts";
