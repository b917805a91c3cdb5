import { limits } from "@penstock/model";

/**
 * How much below control may be unacknowledged: max(64 kB, 200 ms of the rate that acknowledgements show), so that a
 * control message never stands behind more than that. Pure.
 */
export interface Window {
  /** bytes sent and not acknowledged */
  readonly inFlight: number;
  /** bytes a second, smoothed over the last samples; 0 until measured */
  readonly rate: number;
  readonly sampleSince: number;
  readonly sampleBytes: number;
}

/** Shorter samples would measure how acknowledgements are bundled, not how fast the line is. */
const sampleMicros = 100_000;
const windowMs = 200;

export function newWindow(now: number): Window {
  return { inFlight: 0, rate: 0, sampleSince: now, sampleBytes: 0 };
}

export function windowSent(window: Window, bytes: number, now: number): Window {
  // Time in which nothing was under way says nothing about the line.
  const since = window.inFlight === 0 ? { sampleSince: now, sampleBytes: 0 } : {};
  return { ...window, ...since, inFlight: window.inFlight + bytes };
}

/** @param now monotonic microseconds */
export function windowAcked(window: Window, bytes: number, now: number): Window {
  const inFlight = Math.max(0, window.inFlight - bytes);
  const sampleBytes = window.sampleBytes + bytes;
  const elapsed = now - window.sampleSince;
  // A burst that is acknowledged whole before a sample's time is over counts as if it had taken the whole of it.
  if (elapsed < sampleMicros && inFlight > 0) return { ...window, inFlight, sampleBytes };
  const sample = sampleBytes / (Math.max(elapsed, sampleMicros) / 1e6);
  const rate = window.rate === 0 ? sample : (window.rate + sample) / 2;
  return { inFlight, rate, sampleSince: now, sampleBytes: 0 };
}

export function windowBytes(window: Window): number {
  return Math.max(limits.unackedBytesMin, (window.rate * windowMs) / 1000);
}

/** Bytes that may be sent now; at least one when nothing is under way, so that an entry of any size gets through. */
export function windowRoom(window: Window): number {
  return Math.max(window.inFlight === 0 ? 1 : 0, Math.floor(windowBytes(window) - window.inFlight));
}
