import type { DeviceHealth, ErrorCode } from "@penstock/model";
import type { DeviceRecord } from "./line.ts";

/** Reasons that mean nobody answered. Any other failure is an answer: the device is there. */
const silences: ReadonlySet<ErrorCode> = new Set([
  "mapper/timeout",
  "mapper/gateway-no-response",
  "mapper/connect-failed",
  "mapper/connection-lost",
  "mapper/device-offline",
  "mapper/nothing-told",
]);

export function isSilence(code: ErrorCode): boolean {
  return silences.has(code);
}

/** So many silences in a row, and a device is offline and only asked now and then whether it is back. */
export const silencesUntilOffline = 2;

export function isOnlyProbed({ silences }: DeviceRecord): boolean {
  return silences >= silencesUntilOffline;
}

/** When a device will have been silent for too long by its own rule; never without one. Microseconds, monotonic. */
export function offlineAt({ offlineAfterUs, hasAnswered, answeredAt, addedAt }: DeviceRecord): number {
  if (offlineAfterUs === null) return Number.POSITIVE_INFINITY;
  return (hasAnswered ? answeredAt : addedAt) + offlineAfterUs;
}

/**
 * What is known of a device. Offline at once while its mapper is down; else by its own rule, nothing heard of it for so
 * long, however slow its cycles; or after two silences in a row, or when its connection was lost since its last answer.
 * The reason is that of the last failure.
 */
export function healthOf(device: DeviceRecord, now: number): DeviceHealth {
  const { uid, line, code, message, hasAnswered, answeredAt, offlineAfterUs } = device;
  const { lost } = line;
  const offline = (reason: ErrorCode | null, why: string | null) =>
    ({ device: uid, state: "offline", reason, message: why }) as const;
  if (line.line.state === "down") return offline(line.line.code, line.line.message);
  if (offlineAfterUs === null) {
    if (isOnlyProbed(device)) return offline(code, message);
    if (lost !== null && (!hasAnswered || answeredAt <= line.lostAt)) return offline(lost.code, lost.message);
  } else if (offlineAt(device) <= now) {
    const known = code === null ? lost : { code, message };
    const why = `Nothing was heard of it for ${offlineAfterUs / 1000} ms`;
    return offline(known?.code ?? "mapper/timeout", known?.message ?? why);
  }
  return { device: uid, state: hasAnswered ? "online" : "unknown", reason: code, message };
}
