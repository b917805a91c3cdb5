import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AppError } from "../errors.ts";
import type { DeviceModelSpec, DeviceSpec } from "../resources/device.ts";
import { diffDocuments } from "../resources/diff-documents.ts";
import { type CopyRequest, planCopies } from "./plan-copies.ts";

const spec: DeviceSpec = {
  node: "gw-01",
  connection: "bus-a",
  address: { unitId: 3 },
  properties: {
    temperature: { type: "float64", visitor: { table: "holding", offset: 0 }, publish: { topic: "plant/temp1" } },
    pressure: { type: "float64", maximum: 10, visitor: { table: "holding", offset: 1, nodeId: "ns=2;s=P1" } },
    state: { type: "string" },
  },
  custom: { serial: 9007199254740993n as never, "rack.no": 4 },
};
const source = { metadata: { name: "temp-01", displayName: "Sensor 1", labels: { cell: "07", "site/no": "1" } }, spec };
const plan = (request: CopyRequest, model: DeviceModelSpec | null = null) => planCopies(source, model, request);
const one = (steps: CopyRequest["steps"]) => plan({ pattern: "temp-02", steps: steps! })[0]!;
const changes = (steps: CopyRequest["steps"]) =>
  Object.fromEntries(
    diffDocuments(source, one(steps).document)
      .filter(({ field }) => field !== "metadata.name")
      .map(({ field, after }) => [field, after]),
  );

test("planCopies() makes ten sensors of one, two registers apart", () => {
  const rows = plan({ pattern: "temp-{02..10}", steps: { "visitor.offset": 2 } });
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["02", "03", "04", "05", "06", "07", "08", "09", "10"].map((number) => `temp-${number}`),
  );
  for (const [i, { document }] of rows.entries()) {
    assert.equal(document.metadata.name, rows[i]!.name);
    assert.equal(document.spec.properties?.temperature?.visitor?.offset, 2 * (i + 1));
    assert.equal(document.spec.properties?.pressure?.visitor?.offset, 1 + 2 * (i + 1));
  }
  assert.deepEqual(
    rows[8]?.fields.map(({ field, from, to }) => [field, from, to]),
    [
      ["properties.pressure.visitor.offset", 1, 19],
      ["properties.temperature.visitor.offset", 0, 18],
    ],
  );
  assert.equal(source.spec.properties?.temperature?.visitor?.offset, 0, "the source stays");
});

test("planCopies() steps what a path means, and nothing else", () => {
  assert.deepEqual(changes({ "properties.pressure.visitor.offset": 5 }), {
    "spec.properties.pressure.visitor.offset": 6,
  });
  assert.deepEqual(changes({ "visitor.offset": 2, "properties.pressure.visitor.offset": 7 }), {
    "spec.properties.temperature.visitor.offset": 2,
    "spec.properties.pressure.visitor.offset": 8,
  });
  assert.deepEqual(
    changes({ "properties.pressure.visitor.offset": 7, "visitor.offset": 2 }),
    changes({ "visitor.offset": 2, "properties.pressure.visitor.offset": 7 }),
    "the closest path counts, whatever the order",
  );
  assert.deepEqual(changes({ "address.unitId": 1, displayName: 1, "labels.cell": 1, "labels.site/no": 1 }), {
    "spec.address.unitId": 4,
    "metadata.displayName": "Sensor 2",
    "metadata.labels.cell": "08",
    "metadata.labels.site/no": "2",
  });
  assert.deepEqual(changes({ "visitor.nodeId": 1, "publish.topic": 1, maximum: 0.5 }), {
    "spec.properties.pressure.visitor.nodeId": "ns=2;s=P2",
    "spec.properties.temperature.publish.topic": "plant/temp2",
    "spec.properties.pressure.maximum": 10.5,
  });
  assert.deepEqual(changes({ "custom.serial": 2, "custom.rack.no": 1 }), {
    "spec.custom.serial": 9007199254740995n,
    "spec.custom.rack.no": 5,
  });
  assert.deepEqual(changes({ "spec.properties.*.visitor.offset": 1 }), changes({ "visitor.offset": 1 }));
});

test("planCopies() steps what a model states: the copies then state their own", () => {
  const model = { properties: { temperature: { type: "float64", visitor: { offset: 40, list: [1, 2] } } } } as const;
  const bare = { ...source, spec: { node: "gw-01", connection: "bus-a", model: "thermometer" } };
  const steps = { "visitor.offset": 2, "visitor.list.1": 5 };
  const [row] = planCopies(bare, model as never, { pattern: "temp-02", steps });
  assert.deepEqual(row?.document.spec, {
    ...bare.spec,
    properties: { temperature: { visitor: { offset: 42, list: [1, 7] } } },
  });
});

test("planCopies() names row and column of everything that cannot be, and paths that mean nothing", () => {
  const refused = (request: CopyRequest) => {
    try {
      plan(request);
    } catch (error) {
      if (error instanceof AppError) return error.fields.map(({ field, rule }) => `${field}: ${rule}`);
    }
    return [];
  };
  const [missing] = refused({ pattern: "temp-02", steps: { "visitor.offse": 2 } });
  assert.match(missing!, /^steps\.visitor\.offse: the device has no such field; it has .*visitor\.offset/);
  assert.deepEqual(
    refused({ pattern: "temp-{2..4}", steps: { "publish.topic": -1 } }).map((text) => text.split(":")[0]),
    ['row 2 "temp-3" properties.temperature.publish.topic', 'row 3 "temp-4" properties.temperature.publish.topic'],
  );
  assert.match(refused({ pattern: "temp-02", steps: { "metadata.name": 1 } })[0]!, /names come from the pattern/);
  assert.match(
    refused({ pattern: "temp-{1..2}", steps: { "address.unitId": [1] } })[0]!,
    /1 values, there are 2 copies/,
  );
});

test("planCopies() of any pattern and step gives the n-th copy n times the step", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: -1000, max: 1000 }),
      fc.integer({ min: -1000, max: 1000 }),
      (count, offset, unit) => {
        const rows = plan({ pattern: `x{1..${count}}`, steps: { "visitor.offset": offset, "address.unitId": unit } });
        assert.equal(rows.length, count);
        for (const [i, { document }] of rows.entries()) {
          assert.equal(document.spec.properties?.pressure?.visitor?.offset, 1 + (i + 1) * offset);
          assert.equal(document.spec.address?.unitId, 3 + (i + 1) * unit);
          assert.deepEqual(document.spec.properties?.state, spec.properties?.state);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test("diffDocuments() says each field once, blocks that come and go field by field, lists whole", () => {
  const fields = (a: unknown, b: unknown) =>
    diffDocuments(a, b).map(({ field, before, after }) => [field, before, after]);
  assert.deepEqual(fields({ a: 1, b: { c: [1] } }, { a: 1, b: { c: [1, 2] }, d: { e: 5n } }), [
    ["b.c", [1], [1, 2]],
    ["d.e", null, 5n],
  ]);
  assert.deepEqual(fields({ a: { b: 1 } }, { a: 2 }), [["a", { b: 1 }, 2]]);
  assert.deepEqual(fields({ a: {} }, {}), [["a", {}, null]]);
  assert.deepEqual(fields({ a: 1 }, { a: 1 }), []);
});
