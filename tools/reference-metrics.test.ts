import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsOf } from "./reference-metrics.ts";

test("metricsOf() reads names, helps and labels however the call is written", () => {
  const source = `
    const labels = { mapper: name };
    const help = { refused: "Requests refused", dropped: "Messages dropped" };
    a.counter("penstock_x_total", "Things", { reason: code });
    b.gauge(
      "penstock_y",
      "Others",
      labels,
    );
    c.counter(\`penstock_z_\${what}_total\`, help[what], { why }).add();
    d.histogram("penstock_h_seconds", "Times", [1, 2]);`;
  assert.deepEqual(
    metricsOf("a.ts", source).map((m) => `${m.kind} ${m.name} ${m.labels} ${m.help}`),
    [
      "counter penstock_x_total `reason` Things",
      "gauge penstock_y `mapper` Others",
      "counter penstock_z_refused_total `why` Requests refused",
      "counter penstock_z_dropped_total `why` Messages dropped",
      "histogram penstock_h_seconds  Times",
    ],
  );
});

test("metricsOf() refuses a call it cannot read, so that no metric is missing from the page", () => {
  assert.throws(() => metricsOf("a.ts", "m.counter(nameOf(x), text)"), /"a.ts": 1 calls, 0 read/);
  assert.throws(() => metricsOf("a.ts", 'm.counter("penstock_x", texts[what])'), /no text of texts\[what\]/);
});
