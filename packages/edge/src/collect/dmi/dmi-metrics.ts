import type { ErrorCode } from "@penstock/model";
import type { Metrics } from "@penstock/runtime";

export function dmiMetrics(metrics: Metrics) {
  return {
    running: metrics.gauge("penstock_collect_dmi_mappers", "DMI mappers that run"),
    reports: metrics.counter("penstock_collect_dmi_reports_total", "Calls in which DMI mappers reported values"),
    unknown: metrics.counter(
      "penstock_collect_dmi_unknown_total",
      "Reports of DMI mappers about devices and properties that the gateway does not have, or not yet",
    ),
    lost: metrics.counter(
      "penstock_collect_dmi_values_lost_total",
      "Values that DMI mappers had reported when their device was changed, or before anybody took them",
    ),
    linesDropped: metrics.counter(
      "penstock_collect_dmi_lines_dropped_total",
      "Log lines about DMI mappers left out because there were too many",
    ),
    refused: (code: ErrorCode) =>
      metrics.counter("penstock_collect_dmi_refused_total", "Calls of DMI mappers that were refused", { code }),
    calls: (outcome: ErrorCode | "ok") =>
      metrics.counter("penstock_collect_dmi_calls_total", "Calls to DMI mappers", { outcome }),
  };
}
