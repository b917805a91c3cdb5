import type { limits } from "@penstock/model";
import type { Counter, Gauge, Metrics } from "@penstock/runtime";

export interface LinkMetrics {
  readonly sessions: Gauge;
  readonly pendingBytes: Gauge;
  readonly readings: Counter;
  readonly acks: Counter;
  readonly refused: Counter;
  readonly broken: Counter;
  readonly ignored: Counter;
  readonly duplicateFrames: Counter;
  /** by the limit of model/src/limits.ts that a gateway went beyond */
  readonly limited: (limit: keyof typeof limits) => Counter;
}

export function linkMetrics(metrics: Metrics): LinkMetrics {
  return {
    sessions: metrics.gauge("penstock_link_sessions", "Gateways connected"),
    pendingBytes: metrics.gauge("penstock_link_pending_bytes", "Bytes handed to ingest and not committed"),
    readings: metrics.counter("penstock_link_readings_total", "Readings that came over links, repeats included"),
    acks: metrics.counter("penstock_link_acks_total", "Acknowledgements sent"),
    refused: metrics.counter("penstock_link_refused_total", "Sessions refused or replaced"),
    broken: metrics.counter("penstock_link_broken_total", "Sessions closed because the protocol was broken"),
    ignored: metrics.counter(
      "penstock_link_ignored_total",
      "Frames of unknown lanes, messages of unknown kinds and unknown fields, all ignored",
    ),
    duplicateFrames: metrics.counter("penstock_link_duplicate_frames_total", "Frames that came twice and were dropped"),
    limited: (limit) =>
      metrics.counter("penstock_link_limited_total", "What gateways did beyond a limit; refused or ignored", { limit }),
  };
}
