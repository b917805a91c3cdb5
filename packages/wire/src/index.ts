export * from "./mapper-messages.ts";
export * from "./messages.ts";
