import assert from "node:assert/strict";
import { test } from "node:test";
import {
  batchFromSamples,
  type DeviceUid,
  layoutOrder,
  type Micros,
  readingsOf,
  type Sample,
  type ValueType,
} from "@penstock/model";
import fc from "fast-check";
import { zoneOf } from "../functions/time/part-zone.ts";
import type { SourceLayout } from "../plan/stream-schema.ts";
import { batchReader } from "./read-batch.ts";

const types: readonly (readonly [ValueType, Sample["value"]])[] = [
  ["bool", true],
  ["int8", -3],
  ["uint32", 4_000_000_000],
  ["int64", 2n ** 62n],
  ["float32", 1.5],
  ["float64", 0.1],
  ["string", "Füllstand"],
  ["bytes", Uint8Array.of(0, 255)],
  ["json", { json: { a: [1, null] } }],
];
const layout = {
  id: 1,
  device: "d".repeat(32) as DeviceUid,
  properties: layoutOrder(types.flatMap(([type]) => [1, 2].map((n) => ({ name: `${type}${n}`, type })))),
};
const source: SourceLayout = {
  ...{ stream: "d", source: 0, alias: "d", offset: 0, times: { zone: zoneOf("UTC"), mode: "strict" as const } },
  columns: [
    ...layout.properties.map(({ name }) => ({ t: "column", name }) as const),
    { t: "column", name: "none" },
    { t: "meta", name: "unit" },
    { t: "all" },
  ],
};
const sqlValue = (type: ValueType, value: Sample["value"]): unknown => {
  if (value === null) return null;
  if (type === "json") return (value as { json: unknown }).json;
  return /^u?int/.test(type) ? BigInt(value as number | bigint) : value;
};

test("batchReader() gives what the readings of a batch are, whatever it has of its layout", () => {
  const kept = fc.array(fc.constantFrom<"value" | "null" | "absent">("value", "null", "absent"), {
    minLength: 18,
    maxLength: 18,
  });
  const read = batchReader(source, { unit: "Cel" });
  fc.assert(
    fc.property(kept, (kinds) => {
      const samples = layout.properties.flatMap(({ name, type }, at): Sample[] => {
        const value = kinds[at] === "null" ? null : types.find(([one]) => one === type)![1];
        return kinds[at] === "absent"
          ? []
          : [{ property: name, time: 5 as Micros, value, quality: "good", reason: null }];
      });
      const { batch } = batchFromSamples({ layout, samples });
      const { at, values } = read(batch);
      const byName = new Map(readingsOf(batch).map((one) => [one.property, sqlValue(one.type, one.value)]));
      assert.equal(at, batch.baseTime);
      assert.deepEqual(
        values.slice(0, 18),
        layout.properties.map(({ name }) => byName.get(name) ?? null),
      );
      assert.deepEqual(values.slice(18, 20), [null, "Cel"]);
      assert.deepEqual(
        Object.entries(values[20]!),
        layout.properties.filter(({ name }) => byName.has(name)).map(({ name }) => [name, byName.get(name)]),
      );
    }),
  );
});
