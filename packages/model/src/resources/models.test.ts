import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DeviceUid } from "../ids.ts";
import type { DeviceModelSpec, DeviceSpec } from "./device.ts";
import { effectiveDevice, mergeDevice } from "./effective-device.ts";
import { extractModel } from "./extract-model.ts";
import { effectiveChanges, originsOf } from "./origins.ts";

const key = fc.constantFrom("a", "b", "c", "offset");
const free = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom(null, "x", 18446744073709551615n),
    fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).tree;
const object = fc.dictionary(key, free, { maxKeys: 3, noNullPrototype: true });
const property = fc.record(
  {
    type: fc.constantFrom("float64", "int16", "bool"),
    access: fc.constantFrom("read", "readWrite"),
    unit: fc.constantFrom("Cel", "m3/h"),
    minimum: fc.constantFrom(0, 1),
    maximum: fc.constantFrom(5, 9),
    visitor: object,
    custom: object,
    collect: fc.constantFrom({ every: "100ms" }, { every: "1s" }, { at: ["06:00"] }),
    report: fc.constantFrom({ every: "500ms" }, { onChange: { deadband: { percent: 1 } } }, { toCloud: false }),
  },
  { requiredKeys: ["type"] },
);
const device = fc.record(
  {
    node: fc.constant("gw-01"),
    connection: fc.constantFrom("bus-a", "bus-b"),
    address: object,
    custom: object,
    presence: fc.constantFrom({}, { offlineAfter: "10s" }),
    properties: fc.dictionary(fc.constantFrom("speed", "level", "on"), property, { noNullPrototype: true }),
    methods: fc.constantFrom({}, { stop: { sets: { speed: 0 } } }, { stop: { sets: { speed: 0 }, timeout: "1s" } }),
  },
  { requiredKeys: ["node", "connection"] },
) as unknown as fc.Arbitrary<DeviceSpec>;

const inEffect = (model: DeviceModelSpec | null, spec: DeviceSpec) =>
  effectiveDevice({
    ...{ uid: "d" as DeviceUid, name: "d", generation: 1, connection: "c" as never },
    merged: mergeDevice(model, spec),
  });

// Making a model tidies up; a plant that runs must not notice.
test("extractModel() changes no device in effect, and leaves in none what the model says", () => {
  fc.assert(
    fc.property(fc.array(device, { minLength: 1, maxLength: 4 }), (devices) => {
      const { model, devices: left } = extractModel({ name: "m", protocol: "press", devices });
      for (const [i, spec] of left.entries()) {
        assert.equal(spec.model, "m");
        assert.deepEqual(inEffect(model, spec), inEffect(null, devices[i]!));
        assert.deepEqual(effectiveChanges(mergeDevice(null, devices[i]!), mergeDevice(model, spec)), []);
      }
    }),
    { numRuns: 500 },
  );
});

const temp = (offset: number): DeviceSpec => ({
  node: "gw-01",
  connection: "bus-a",
  address: { unitId: offset },
  properties: { t: { type: "float64", unit: "Cel", visitor: { table: "holding", offset, scale: 0.1 } } },
});

test("extractModel() lifts what is equal and leaves what is not; of one device the address stays", () => {
  const { model, devices } = extractModel({ name: "temp", protocol: "modbus", devices: [temp(0), temp(2)] });
  assert.deepEqual(model, {
    protocol: "modbus",
    properties: { t: { type: "float64", unit: "Cel", visitor: { table: "holding", scale: 0.1 } } },
  });
  assert.deepEqual(devices[1], {
    node: "gw-01",
    connection: "bus-a",
    model: "temp",
    address: { unitId: 2 },
    properties: { t: { visitor: { offset: 2 } } },
  });
  const one = extractModel({ name: "temp", protocol: "modbus", devices: [temp(3)] });
  assert.equal(one.model.address, undefined);
  assert.deepEqual(one.devices, [{ node: "gw-01", connection: "bus-a", model: "temp", address: { unitId: 3 } }]);
});

test("the merge is by field: objects merge, lists and scalars replace, null is a value like another", () => {
  const model: DeviceModelSpec = {
    properties: { t: { type: "float64", unit: "Cel", visitor: { offset: 1, words: [1, 2] } } },
    custom: { limits: { low: 1, high: 2 }, tags: ["a", "b"] },
  };
  const own = {
    node: "gw-01",
    connection: "bus-a",
    properties: { t: { visitor: { words: [3] } } },
    custom: { limits: { high: null }, tags: [] },
  } as unknown as DeviceSpec;
  const merged = mergeDevice(model, own);
  assert.deepEqual(merged.properties.get("t"), { type: "float64", unit: "Cel", visitor: { offset: 1, words: [3] } });
  assert.deepEqual(merged.custom, { limits: { low: 1, high: null }, tags: [] });
});

test("originsOf() says of every effective field who says so", () => {
  const model: DeviceModelSpec = { properties: { t: { type: "float64", unit: "Cel", visitor: { table: "holding" } } } };
  // A device with a model need not repeat the type.
  const overrides = { t: { unit: "K", visitor: { offset: 4 } } } as unknown as NonNullable<DeviceSpec["properties"]>;
  const spec: DeviceSpec = { ...temp(4), model: "temp", properties: overrides };
  const schema = (properties: object) => ({ type: "object", properties, additionalProperties: false }) as never;
  const manifest = {
    name: "modbus",
    connection: schema({ host: { type: "string" }, port: { type: "integer", default: 502 } }),
    address: schema({ unitId: { type: "integer", default: 1 } }),
    visitor: schema({ table: {}, offset: {}, scale: { type: "number", default: 1 } }),
  } as never;
  const connection = { protocol: "modbus", settings: { host: "h" }, line: { timeout: "2s" } };
  const rows = originsOf({ spec, model, connection, manifest });
  const shown = rows.map(
    ({ field, value, origin, from }) => `${field}=${String(value)} ${origin}${from === null ? "" : ` ${from}`}`,
  );
  for (const row of [
    "connection.settings.host=h connection bus-a",
    "connection.settings.port=502 mapper default modbus",
    "connection.line.timeout=2s connection bus-a",
    "connection.line.retries=0 built-in default",
    "address.unitId=4 device",
    "properties.t.type=float64 model temp",
    "properties.t.unit=K device",
    "properties.t.visitor.table=holding model temp",
    "properties.t.visitor.scale=1 mapper default modbus",
    "properties.t.collect.every=1s built-in default",
  ]) {
    assert.ok(shown.includes(row), `${row}\nnot in\n${shown.join("\n")}`);
  }
});
