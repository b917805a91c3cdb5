import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parseManifest } from "../mapper-manifest.ts";
import type { ConnectionSpec, DeviceModelSpec, DeviceSpec } from "../resources/device.ts";
import { fromKubeEdge } from "./from-kubeedge.ts";
import { toKubeEdge } from "./to-kubeedge.ts";

const manifests = ["modbus", "virtual"].map((name) =>
  parseManifest(readFileSync(new URL(`../../../mappers/${name}/mapper.json`, import.meta.url), "utf8")),
);

const optional = <T>(field: string, of: fc.Arbitrary<T>) =>
  fc.option(of, { nil: undefined }).map((value) => (value === undefined ? {} : { [field]: value }));
const joined = (...parts: fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Record<string, unknown>);

/** Properties of v1beta1 as far as both sides have them: model and device in one. */
const sizes = {
  INT: [1, 2, 4],
  FLOAT: [1, 2, 4],
  DOUBLE: [1, 2, 4],
  STRING: [1, 8],
  BYTES: [2],
  BOOLEAN: [1],
} as const;
const property = fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[])).chain((type) => {
  const isNumber = ["INT", "FLOAT", "DOUBLE"].includes(type);
  const range = isNumber
    ? [optional("minimum", fc.constantFrom("-5", "0")), optional("maximum", fc.constantFrom("7", "9007199254740993"))]
    : [];
  return fc.record({
    model: joined(
      fc.constant({ type }),
      optional("description", fc.constantFrom("of the oil", "")),
      fc.constantFrom({ accessMode: "ReadOnly" }, { accessMode: "ReadWrite" }),
      optional("unit", fc.constantFrom("Cel", "bar", "half strokes")),
      // A float holds no more than 2^53 whole.
      ...(type === "INT" ? range : range.slice(0, 1)),
    ),
    modbus: fc.constantFrom(...sizes[type]).chain((limit) =>
      joined(
        fc.constant({ register: "HoldingRegister", limit }),
        fc.nat(60_000).map((offset) => ({ offset })),
        isNumber ? optional("scale", fc.constantFrom(0.1, 2)) : fc.constant({}),
        limit === 1
          ? fc.constantFrom({}, { isSwap: true })
          : fc.constantFrom({}, { isSwap: true }, { isRegisterSwap: true }, { isSwap: true, isRegisterSwap: true }),
        optional("vendor", fc.constant({ a: [1] })),
      ),
    ),
    more: fc.nat(5).chain((seconds) =>
      joined(
        fc.constant({ collectCycle: (seconds + 1) * 1000 }),
        optional("reportCycle", fc.constantFrom(6000, 3_600_000)),
        fc.boolean().map((reportToCloud) => ({ reportToCloud })),
        optional("pushMethod", fc.constantFrom({ mqtt: { address: "tcp://127.0.0.1:1883", topic: "a/b", qos: 1 } })),
      ),
    ),
  });
});
const place = fc.oneof(
  joined(
    fc.constant({ ip: "10.0.4.12" }),
    optional("port", fc.constantFrom(502, 1502)),
    optional("slaveID", fc.nat(247)),
  ),
  joined(
    fc.constant({ serialPort: "/dev/ttyS0" }),
    optional("baudRate", fc.constantFrom(9600)),
    optional("parity", fc.constantFrom("none", "even")),
    optional("stopBits", fc.constantFrom(1, 2)),
    optional("cabinet", fc.constant("B2")),
  ),
);

const documents = fc
  .record({ properties: fc.array(property, { minLength: 1, maxLength: 5 }), place, withMethod: fc.boolean() })
  .map(({ properties, place, withMethod }) => {
    const named = properties.map((one, i) => ({ ...one, name: `p${i}` }));
    const writable = named.filter((one) => one.model.accessMode === "ReadWrite").map((one) => one.name);
    const apiVersion = "devices.kubeedge.io/v1beta1";
    return [
      {
        apiVersion,
        kind: "DeviceModel",
        metadata: { name: "m", namespace: "acme" },
        spec: { protocol: "modbus", properties: named.map(({ name, model }) => ({ name, ...model })) },
      },
      {
        apiVersion,
        kind: "Device",
        metadata: { name: "d", namespace: "acme", labels: { hall: "3" } },
        spec: {
          deviceModelRef: { name: "m" },
          nodeName: "gw-01",
          protocol: { protocolName: "modbus", configData: place },
          properties: named.map(({ name, modbus, more }) => ({
            name,
            visitors: { protocolName: "modbus", configData: modbus },
            ...more,
          })),
          ...(withMethod &&
            writable.length > 0 && { methods: [{ name: "Set", description: "sets", propertyNames: writable }] }),
        },
      },
    ];
  });

function there(input: readonly unknown[]) {
  const { resources, findings } = fromKubeEdge({ documents: input, tenant: "acme", manifests });
  const spec = <T>(kind: string) => resources.find((one) => one.kind === kind)?.spec as T;
  const device = spec<DeviceSpec>("Device");
  const connection = spec<ConnectionSpec | undefined>("Connection") ?? (device.connection as { protocol: string });
  return { findings, device, model: spec<DeviceModelSpec>("DeviceModel"), connection };
}

test("v1beta1 to ours and back is the same", () => {
  fc.assert(
    fc.property(documents, (given) => {
      const { device, model, connection, findings } = there(given);
      assert.deepEqual(
        findings.filter((one) => one.level !== "note"),
        [],
      );
      const back = toKubeEdge({
        name: "d",
        labels: { hall: "3" },
        spec: device,
        model: { name: "m", spec: model },
        connection,
        tenant: "acme",
      });
      assert.deepEqual(JSON.parse(JSON.stringify(back.documents)), JSON.parse(JSON.stringify(given)));
      assert.deepEqual(back.findings, []);
    }),
    { numRuns: 300 },
  );
});

test("what v1beta1 has no field for is named", () => {
  const { findings, documents } = toKubeEdge({
    name: "d",
    labels: {},
    tenant: "acme",
    model: null,
    connection: {
      protocol: "modbus",
      settings: { host: "a", transport: "rtu-over-tcp", maxGap: 3 },
      line: { retries: 1 },
    },
    spec: {
      node: "gw-01",
      connection: "bus-a",
      presence: { offlineAfter: "1m" },
      properties: {
        p: {
          type: "uint16",
          displayName: "P",
          access: "write",
          visitor: { table: "holding", offset: 1, raw: "uint32", bias: 2 },
          report: { onChange: {}, atLeast: "1h" },
          localWrites: "hold",
        },
        q: { type: "bool", collect: { at: ["06:00"] } },
        r: { type: "bool", collect: { subscribe: true } },
        mean: { type: "float64", calculated: true },
      },
      methods: {
        go: { visitor: { x: 1 } },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an argument
        set: { arguments: { v: { type: "uint16" } }, sets: { p: "${v}" }, timeout: "1s" },
      },
    },
  });
  assert.deepEqual(findings.map((one) => one.field).sort(), [
    "spec.connection.line",
    "spec.connection.settings.maxGap",
    "spec.connection.settings.transport",
    "spec.methods.go",
    "spec.methods.set.timeout",
    "spec.presence",
    "spec.properties.mean",
    "spec.properties.p.access",
    "spec.properties.p.displayName",
    "spec.properties.p.localWrites",
    "spec.properties.p.report.atLeast",
    "spec.properties.p.report.onChange",
    "spec.properties.p.type",
    "spec.properties.p.visitor.bias",
    "spec.properties.p.visitor.raw",
    "spec.properties.q.collect.at",
    "spec.properties.r.collect.subscribe",
  ]);
  // A mapper of KubeEdge would ask the device for it.
  for (const { spec } of documents as readonly { spec: { properties: { name: string }[] } }[]) {
    assert.deepEqual(
      spec.properties.map(({ name }) => name),
      ["p", "q", "r"],
    );
  }
  assert.equal((documents[0] as { metadata: { name: string } }).metadata.name, "d-model");
});
