import type { LineSettings } from "@penstock/model";

/**
 * Requests that one read or write is given time for. Collect knows no protocol, so it counts one a value, up to so many:
 * drivers join neighbours, and one that meets silence gives up instead of waiting for every further request.
 */
const mostRequests = 16;
/** Waiting for others included; see `LineUse`. */
export const longestDeadlineMs = 120_000;

/**
 * How long one read or write may take at the device, alone on its line: the time to connect, and each request the full
 * time-out and pause, one of them with all its retries.
 *
 * `connectTimeout + (min(values, 16) + retries) × (timeout + pause)`; at most 2 minutes, or one request with its retries
 * where that is longer. With the line's defaults one value has 4 s, sixteen and more have 19 s.
 */
export function budgetMs(line: LineSettings, values: number): number {
  const eachMs = line.timeoutMs + line.pauseMs;
  const leastMs = line.connectTimeoutMs + (1 + line.retries) * eachMs;
  const wantedMs = line.connectTimeoutMs + (Math.min(Math.max(values, 1), mostRequests) + line.retries) * eachMs;
  return Math.max(leastMs, Math.min(wantedMs, longestDeadlineMs));
}
