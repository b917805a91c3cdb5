import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceUid, Micros } from "./ids.ts";
import { batchFromSamples, type Layout, layoutOrder, readingsOf, type Sample } from "./reading.ts";

const device = "00000000000000000000000000000001" as DeviceUid;
const layout: Layout = {
  id: 1,
  device,
  properties: layoutOrder([
    { name: "level", type: "float64" },
    { name: "alarm", type: "bool" },
    { name: "count", type: "uint64" },
    { name: "extra", type: "float64" },
  ]),
};

test("layoutOrder() sorts by type, then name, so that each type is one column", () => {
  assert.deepEqual(
    layout.properties.map((p) => p.name),
    ["alarm", "count", "extra", "level"],
  );
});

test("batchFromSamples() keeps the later of two samples, names what it does not know, and keeps what is missing apart", () => {
  const at = (property: string, value: Sample["value"], time: number): Sample => ({
    property,
    time: time as Micros,
    value,
    quality: value === null ? "bad" : "good",
    reason: value === null ? "mapper/timeout" : null,
  });
  const { batch, unknown } = batchFromSamples({
    layout,
    samples: [at("level", 1, 10), at("count", 18446744073709551615n, 12), at("level", null, 11), at("ghost", 1, 10)],
  });
  assert.deepEqual(unknown, ["ghost"]);
  assert.deepEqual(
    readingsOf(batch).map((r) => [r.property, r.value, r.time, r.quality, r.reason]),
    [
      ["count", 18446744073709551615n, 12, "good", null],
      ["level", null, 11, "bad", "mapper/timeout"],
    ],
  );
});
