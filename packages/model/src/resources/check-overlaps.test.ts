import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MapperManifest, manifestVersion } from "../mapper-manifest.ts";
import { checkDeviceSpec } from "./check-device-spec.ts";
import { LinePlaces, type PlacedPoint } from "./check-overlaps.ts";
import type { ConnectionSpec, DeviceSpec } from "./device.ts";

const object = (properties: object) => ({ type: "object", properties, additionalProperties: false }) as never;
const manifest: MapperManifest = {
  ...{ manifest: manifestVersion, name: "bus", summary: "Test", version: "1.0.0", sdk: { min: 1, max: 1 } },
  main: "./main.ts",
  connection: object({}),
  address: object({ unit: { type: "integer", default: 1 } }),
  visitor: object({
    at: { type: "integer", minimum: 0 },
    raw: { enum: ["int16", "float32"] },
    bit: { type: "integer" },
    bits: { type: "integer", default: 1 },
  }),
  ...{ method: null, custom: null, rules: [], permissions: [], cost: null },
  extent: {
    space: ["address.unit"],
    start: "visitor.at",
    length: { field: "visitor.raw", sizes: { float32: 2 }, otherwise: 1 },
    size: 1000,
    ...{ part: "visitor.bit", partLength: "visitor.bits", partsOfPlace: 16 },
  },
};
const bus: ConnectionSpec = { node: "gw", protocol: "bus" };

function device(unit: number | undefined, visitors: readonly object[], more: object = {}): DeviceSpec {
  const properties = Object.fromEntries(
    visitors.map((visitor, i) => [`p${i}`, { type: "float32", visitor, ...more }]),
  ) as DeviceSpec["properties"];
  return { node: "gw", connection: "bus-a", ...(unit !== undefined && { address: { unit } }), properties: properties! };
}
const check = (name: string, spec: DeviceSpec, line = new LinePlaces()) =>
  checkDeviceSpec(name, spec, { manifests: [manifest], connection: bus, model: null, line });
const fieldsOf = (name: string, spec: DeviceSpec, line?: LinePlaces) =>
  check(name, spec, line).map(({ field }) => field);

test("a value that names no raw type is as long as its own", () => {
  assert.deepEqual(fieldsOf("a", device(1, [{ at: 0 }, { at: 1 }])), ["spec.properties.p1.visitor.at"]);
  assert.deepEqual(fieldsOf("a", device(1, [{ at: 0, raw: "int16" }, { at: 1 }])), []);
});

test("different parts of one place, other units and what may overlap are no overlaps", () => {
  const bits = [0, 1, 2].map((bit) => ({ at: 5, raw: "int16", bit }));
  assert.deepEqual(fieldsOf("a", device(1, bits)), []);
  assert.equal(fieldsOf("a", device(1, [...bits, { at: 5, raw: "int16" }])).length, 1);
  assert.deepEqual(fieldsOf("a", device(1, [{ at: 0 }, { at: 0 }], { mayOverlap: true })), []);
  const line = new LinePlaces();
  for (const unit of [1, 2]) assert.deepEqual(fieldsOf(`unit-${unit}`, device(unit, [{ at: 0 }]), line), []);
  // The default of an address counts: no unit is unit 1.
  assert.equal(
    check("other", device(undefined, [{ at: 1, raw: "int16" }]), line)[0]?.rule.includes('device "unit-1"'),
    true,
  );
});

test("bit fields of one register overlap exactly when they share a bit, and must end within it", () => {
  const field = (bit: number, bits: number) => ({ at: 5, raw: "int16", bit, bits });
  const allowed = (...fields: object[]) => fieldsOf("a", device(1, fields)).length === 0;
  assert.ok(allowed(field(0, 4), field(4, 4), field(8, 8)));
  assert.ok(allowed(field(4, 1), field(0, 4), field(5, 11)));
  assert.ok(!allowed(field(0, 4), field(3, 2)), "bit 3 is in both");
  assert.ok(!allowed(field(0, 16), field(7, 1)), "one within the other");
  assert.ok(!allowed(field(2, 4), field(2, 1)), "from the same bit");
  // A third one between two that are apart is held against both.
  assert.ok(!allowed(field(0, 4), field(8, 4), field(7, 2)));
  const [wrong] = check("a", device(1, [field(0, 4), field(3, 2)]));
  assert.equal(wrong?.field, "spec.properties.p1.visitor.at");
  assert.match(wrong?.rule ?? "", /property "p0" lies \(unit 1, 5 parts 0\.\.3\)/);
  assert.deepEqual(check("a", device(1, [field(12, 8)])), [
    {
      field: "spec.properties.p0.visitor.bit",
      value: "12",
      rule: "must be at most 8: 8 from there must end within 16",
    },
  ]);
});

test("a device is held against its line without its own older places", () => {
  const line = new LinePlaces();
  assert.deepEqual(fieldsOf("a", device(1, [{ at: 0 }]), line), []);
  assert.equal(fieldsOf("a", device(1, [{ at: 1 }]), line).length, 1);
  line.remove("a");
  assert.deepEqual(fieldsOf("a", device(1, [{ at: 1 }]), line), []);
});

type Part = NonNullable<PlacedPoint["part"]>;
function areApart(a: Part, b: Part): boolean {
  const all = ({ from, count }: Part): (string | number)[] =>
    typeof from === "number" ? Array.from({ length: count }, (_, i) => from + i) : [from];
  return !all(a).some((one) => all(b).includes(one));
}

// The search must find what a comparison of every two finds, whatever order they come in.
test("LinePlaces.meets() agrees with comparing every two points", () => {
  const point = fc.record({
    start: fc.integer({ min: 0, max: 30 }),
    length: fc.integer({ min: 1, max: 6 }),
    part: fc.option(
      fc.record({
        from: fc.oneof(fc.nat({ max: 5 }), fc.constantFrom("high", "low")),
        count: fc.constantFrom(1, 1, 3),
      }),
      { freq: 2 },
    ),
    space: fc.constantFrom("1", "2"),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 12 }), point, (points, asked) => {
      const line = new LinePlaces();
      const whole = points.map((one, i): PlacedPoint => ({ ...one, device: "d", property: `p${i}` }));
      line.add(whole);
      const probe: PlacedPoint = { ...asked, device: "x", property: "x" };
      const meets = (a: PlacedPoint, b: PlacedPoint) =>
        a.space === b.space &&
        a.start < b.start + b.length &&
        b.start < a.start + a.length &&
        !(
          a.start === b.start &&
          a.length === b.length &&
          a.part !== null &&
          b.part !== null &&
          areApart(a.part, b.part)
        );
      const found = line.meets(probe);
      const expected = whole.some((one) => meets(one, probe));
      assert.equal(found !== null, expected);
      if (found !== null) assert.ok(meets(found, probe));
    }),
    { numRuns: 2000 },
  );
});

test("a line of 1,000 devices with 10 properties each is checked in well under a second", () => {
  const devices = Array.from({ length: 1000 }, (_, d) =>
    device(
      d,
      Array.from({ length: 10 }, (_, p) => ({ at: p * 2 })),
    ),
  );
  const line = new LinePlaces();
  const before = process.cpuUsage();
  for (const [i, spec] of devices.entries()) assert.deepEqual(fieldsOf(`d${i}`, spec, line), []);
  const { user, system } = process.cpuUsage(before);
  // Measured: 50 ms; the bound leaves room for a slow machine.
  assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms`);
});
