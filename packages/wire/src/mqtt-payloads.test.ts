import assert from "node:assert/strict";
import { test } from "node:test";
import {
  batchFromSamples,
  type DeviceUid,
  layoutOrder,
  type Micros,
  type ReadingBatch,
  type Sample,
  type Value,
  type ValueType,
} from "@penstock/model";
import { encodeFlatData, flatDataTopic } from "./mqtt-flat.ts";
import { encodeKubeEdgeData, kubeEdgeDataTopic } from "./mqtt-kubeedge.ts";
import { encodeTags, tagsDataTopic } from "./mqtt-tags.ts";

const time = 1_800_000_000_123_456 as Micros;

function batchOf(rows: readonly [name: string, type: ValueType, value: Value, later?: number][]): ReadingBatch {
  const properties = layoutOrder(rows.map(([name, type]) => ({ name, type })));
  const samples = rows.map(([property, , value, later = 0]): Sample => {
    const isBad = value === null;
    return {
      property,
      value,
      time: (time + later) as Micros,
      quality: isBad ? "bad" : "good",
      reason: isBad ? "mapper/timeout" : null,
    };
  });
  return batchFromSamples({ layout: { id: 0, device: "d".repeat(32) as DeviceUid, properties }, samples }).batch;
}

const everyType = batchOf([
  ["running", "bool", true],
  ["steps", "int16", -3],
  ["total", "int64", 9_007_199_254_740_993n, 2000],
  ["count", "uint64", 18_446_744_073_709_551_615n],
  ["level", "float32", Math.fround(0.1)],
  ["temperature", "float64", 21.5],
  ["recipe", "string", 'no. "7"'],
  ["frame", "bytes", Uint8Array.of(0xfb, 0xff)],
  ["limits", "json", { json: [1, null] }],
  ["silent", "float64", null],
]);

// What applications parse: a change here breaks them.
test("encodeKubeEdgeData() writes KubeEdge's data/update, byte for byte", () => {
  const ms = '"metadata":{"timestamp":1800000000123,"type":';
  const expected =
    '{"event_id":"e-1","timestamp":1800000000125,"data":{' +
    `"running":{"value":"true",${ms}"BOOLEAN"}},` +
    `"steps":{"value":"-3",${ms}"INT"}},` +
    '"total":{"value":"9007199254740993","metadata":{"timestamp":1800000000125,"type":"INT"}},' +
    `"count":{"value":"18446744073709551615",${ms}"INT"}},` +
    `"level":{"value":"0.1",${ms}"FLOAT"}},` +
    `"temperature":{"value":"21.5",${ms}"DOUBLE"}},` +
    `"recipe":{"value":"no. \\"7\\"",${ms}"STRING"}},` +
    `"frame":{"value":"+/8=",${ms}"BYTES"}},` +
    `"limits":{"value":"[1,null]",${ms}"STRING"}}}}`;
  assert.equal(Buffer.from(encodeKubeEdgeData(everyType, "e-1")!).toString(), expected);
});

test("encodeFlatData() writes typed values and names only the quality that is not good, byte for byte", () => {
  const expected =
    '{"time":"2027-01-15T08:00:00.125456Z","values":{"running":true,"steps":-3,"total":"9007199254740993",' +
    '"count":"18446744073709551615","level":0.1,"silent":null,"temperature":21.5,"recipe":"no. \\"7\\"",' +
    '"frame":"+/8=","limits":[1,null]},"quality":{"silent":{"is":"bad","reason":"mapper/timeout"}}}';
  assert.equal(Buffer.from(encodeFlatData(everyType)!).toString(), expected);
});

test("encodeFlatData() takes only the named properties", () => {
  const expected = '{"time":"2027-01-15T08:00:00.123456Z","values":{"steps":-3}}';
  assert.equal(Buffer.from(encodeFlatData(everyType, new Set(["steps"]))!).toString(), expected);
  assert.equal(encodeFlatData(everyType, new Set(["absent"])), null);
});

test("a property named __proto__ is a property like any other", () => {
  const batch = batchOf([["__proto__", "int8", 1]]);
  assert.match(Buffer.from(encodeFlatData(batch)!).toString(), /"values":\{"__proto__":1\}/);
  assert.match(Buffer.from(encodeKubeEdgeData(batch, "e")!).toString(), /"data":\{"__proto__":\{"value":"1"/);
});

test("encodeKubeEdgeData() has nothing to say of a device that did not answer", () => {
  assert.equal(encodeKubeEdgeData(batchOf([["silent", "float64", null]]), "e"), null);
});

test("default topics name tenant and device", () => {
  assert.equal(kubeEdgeDataTopic("acme", "temp-01"), "$ke/events/device/acme/temp-01/data/update");
  assert.equal(flatDataTopic("acme", "temp-01"), "penstock/acme/temp-01/data");
});

test("encodeTags() writes each reading with its own time, quality, reason and unit", () => {
  const batch = batchOf([
    ["total", "int64", 9_007_199_254_740_993n, 2000],
    ["silent", "float64", null],
  ]);
  assert.equal(
    Buffer.from(encodeTags(batch, new Map([["total", "m3"]]))!).toString(),
    '[{"name":"total","value":"9007199254740993","timestamp":"2027-01-15T08:00:00.125456Z","quality":"good","unit":"m3"},' +
      '{"name":"silent","value":null,"timestamp":"2027-01-15T08:00:00.123456Z","quality":"bad","reason":"mapper/timeout"}]',
  );
  assert.equal(tagsDataTopic("acme", "temp-01"), "penstock/acme/temp-01/tags");
});
