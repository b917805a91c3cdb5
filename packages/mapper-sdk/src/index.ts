export * from "./conformance.ts";
export * from "./conformance-server.ts";
export * from "./conversion.ts";
export * from "./define-mapper.ts";
export * from "./driver.ts";
export * from "./field.ts";
export * from "./manual-clock.ts";
export * from "./place-fields.ts";
