export * from "./batch.ts";
export * from "./frames.ts";
export * from "./mapper-frames.ts";
export * from "./mapper-messages.ts";
export * from "./messages.ts";
export * from "./pack.ts";
