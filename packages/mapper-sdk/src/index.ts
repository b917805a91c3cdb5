export * from "./conversion.ts";
export * from "./define-mapper.ts";
export * from "./driver.ts";
export * from "./field.ts";
