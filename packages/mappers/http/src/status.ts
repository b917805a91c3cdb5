import type { ErrorCode } from "@penstock/model";

/**
 * What a status says of a device. Redirects have been followed before, as far as they are.
 *
 * @returns null when the device did what it was asked
 * @source RFC 9110, 15; RFC 6585, 4
 */
export function reasonOf(status: number, isWrite: boolean): ErrorCode | null {
  if (status >= 200 && status < 300) return null;
  switch (status) {
    case 401:
    case 403:
    case 407:
    case 511:
      return "mapper/access-denied";
    case 404:
    case 410:
      return "mapper/bad-address";
    case 405:
    case 501:
      return "mapper/function-unsupported";
    case 408:
      return "mapper/timeout";
    case 423:
    case 429:
    case 503:
      return "mapper/device-busy";
    case 502:
    case 504:
      return "mapper/gateway-no-response";
  }
  if (status >= 400 && status < 500) return isWrite ? "mapper/value-refused" : "mapper/device-failure";
  return status >= 500 && status < 600 ? "mapper/device-failure" : "mapper/bad-answer";
}
