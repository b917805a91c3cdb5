import type { ErrorCode, Quality } from "@penstock/model";
import type { StatusCode } from "node-opcua-client";

/** By the names of OPC UA 1.05 Part 4, 7.39.2, without "Bad". */
const codes: Readonly<Record<string, ErrorCode>> = {
  NodeIdUnknown: "mapper/bad-address",
  NodeIdInvalid: "mapper/bad-address",
  AttributeIdInvalid: "mapper/bad-address",
  IndexRangeInvalid: "mapper/bad-address",
  IndexRangeNoData: "mapper/bad-address",
  NoMatch: "mapper/bad-address",
  MethodInvalid: "mapper/bad-address",
  NotReadable: "mapper/function-unsupported",
  NotWritable: "mapper/value-refused",
  NotImplemented: "mapper/function-unsupported",
  NotSupported: "mapper/function-unsupported",
  ServiceUnsupported: "mapper/function-unsupported",
  WriteNotSupported: "mapper/function-unsupported",
  IndexRangeDataMismatch: "mapper/value-refused",
  MonitoredItemFilterUnsupported: "mapper/unsupported",
  MonitoredItemFilterInvalid: "mapper/unsupported",
  FilterNotAllowed: "mapper/unsupported",
  DeadbandFilterInvalid: "mapper/unsupported",
  TypeMismatch: "mapper/value-refused",
  OutOfRange: "mapper/value-refused",
  UserAccessDenied: "mapper/value-refused",
  ArgumentsMissing: "mapper/value-refused",
  TooManyArguments: "mapper/value-refused",
  InvalidArgument: "mapper/value-refused",
  NotExecutable: "mapper/value-refused",
  Timeout: "mapper/timeout",
  RequestTimeout: "mapper/timeout",
  TooManyOperations: "mapper/device-busy",
  TooManyMonitoredItems: "mapper/device-busy",
  ServerTooBusy: "mapper/device-busy",
  ResourceUnavailable: "mapper/device-busy",
  OutOfMemory: "mapper/device-busy",
  WaitingForInitialData: "mapper/device-busy",
  NoCommunication: "mapper/gateway-no-response",
  NotConnected: "mapper/gateway-no-response",
  CommunicationError: "mapper/gateway-no-response",
  WaitingForResponse: "mapper/gateway-no-response",
  DecodingError: "mapper/bad-answer",
  EncodingError: "mapper/bad-answer",
};

export function qualityOf(status: StatusCode): Quality {
  // Part 4, 7.39.1: the two highest bits are the severity; the fourth value is reserved and read as bad.
  const severity = status.value >>> 30;
  return severity === 0 ? "good" : severity === 1 ? "uncertain" : "bad";
}

/** Of a bad status. */
export function reasonOf(status: StatusCode): ErrorCode {
  return codes[status.name.replace(/^Bad|#.*$/g, "")] ?? "mapper/device-failure";
}

/** Part 4, 7.39.1: bits of a data value; the server's queue was full and something went. */
export function hasOverflown(status: StatusCode): boolean {
  return (status.value & 0x0400) !== 0 && (status.value & 0x0080) !== 0;
}
