export {
  AppError,
  type ErrorCode,
  type ParsedValue,
  type Value,
  type ValueType,
  valueFromText,
  valueToText,
} from "@penstock/model";
export * from "./check-finding.ts";
export * from "./check-mapper.ts";
export * from "./conformance.ts";
export * from "./conformance-cases.ts";
export * from "./conformance-device.ts";
export * from "./conformance-server.ts";
export * from "./conversion.ts";
export * from "./define-mapper.ts";
export * from "./device-time.ts";
export * from "./dial.ts";
export * from "./driver.ts";
export * from "./field.ts";
export * from "./json-path.ts";
export * from "./manual-clock.ts";
export * from "./open-context.ts";
export * from "./payload.ts";
export * from "./payload-fields.ts";
export * from "./payload-value.ts";
export * from "./pem-file.ts";
export * from "./place-fields.ts";
export * from "./rehearsal.ts";
export * from "./running-calls.ts";
export * from "./scaffold.ts";
export * from "./template.ts";
