import { AppError } from "@penstock/model";

/** What a request to a device ends with when nobody waits for it any more. */
export function calledOff(signal: AbortSignal): AppError {
  return new AppError("aborted", "The request to the device was called off", { cause: signal.reason });
}
