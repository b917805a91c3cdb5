import type { Counter, Gauge, Metrics } from "@penstock/runtime";

export interface LinkMetrics {
  readonly connected: Gauge;
  readonly reconnects: Counter;
  readonly sentReadings: Counter;
  readonly sentAgain: Counter;
  readonly ackedReadings: Counter;
  readonly ignored: Counter;
  readonly duplicateFrames: Counter;
  readonly inFlightBytes: Gauge;
  readonly lineRate: Gauge;
}

export function linkMetrics(metrics: Metrics): LinkMetrics {
  return {
    connected: metrics.gauge("penstock_link_connected", "1 while a session with the cloud is open"),
    reconnects: metrics.counter("penstock_link_reconnects_total", "Sessions and attempts that ended"),
    sentReadings: metrics.counter("penstock_link_sent_readings_total", "Readings handed to the line, repeats included"),
    sentAgain: metrics.counter(
      "penstock_link_sent_again_readings_total",
      "Readings offered again after a cut because the cloud had not committed them",
    ),
    ackedReadings: metrics.counter("penstock_link_acked_readings_total", "Readings that the cloud says it committed"),
    ignored: metrics.counter(
      "penstock_link_ignored_total",
      "Frames of unknown lanes, messages of unknown kinds and unknown fields, all ignored",
    ),
    duplicateFrames: metrics.counter("penstock_link_duplicate_frames_total", "Frames that came twice and were dropped"),
    inFlightBytes: metrics.gauge("penstock_link_in_flight_bytes", "Bytes of readings sent and not acknowledged"),
    lineRate: metrics.gauge("penstock_link_rate_bytes_per_second", "Bytes a second that acknowledgements show"),
  };
}
