import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { parseManifest } from "../mapper-manifest.ts";
import { checkDeviceSpec, checkModelSpec } from "../resources/check-device-spec.ts";
import { fromKubeEdge, type KubeEdgeInput } from "./from-kubeedge.ts";

const root = new URL("../../../../", import.meta.url);
const manifests = ["modbus", "virtual"].map((name) =>
  parseManifest(readFileSync(new URL(`packages/mappers/${name}/mapper.json`, root), "utf8")),
);
const folder = new URL("examples/kubeedge/", root);
const samples = readdirSync(folder).filter((file) => file.endsWith(".yaml"));

function documentsOf(...files: readonly string[]): unknown[] {
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, folder), "utf8")).map((document) => document.toJS() as unknown),
  );
}
function read(documents: readonly unknown[], more: Partial<KubeEdgeInput> = {}) {
  const { resources, findings } = fromKubeEdge({ documents, tenant: "default", manifests, ...more });
  const of = (kind: string, name: string) => resources.find((one) => one.kind === kind && one.name === name);
  const told = findings.map((one) => `${one.document} ${one.field} ${one.level}: ${one.why}`);
  return { resources, findings, told, of };
}
const beta = (spec: object, properties: readonly object[] = [{ name: "p", type: "INT", accessMode: "ReadWrite" }]) => [
  { apiVersion: "devices.kubeedge.io/v1beta1", kind: "DeviceModel", metadata: { name: "m" }, spec: { properties } },
  {
    apiVersion: "devices.kubeedge.io/v1beta1",
    kind: "Device",
    metadata: { name: "d" },
    spec: {
      nodeName: "gw-01",
      deviceModelRef: { name: "m" },
      protocol: { protocolName: "modbus", configData: { ip: "10.0.4.12", slaveID: 1 } },
      ...spec,
    },
  },
];
const register = (configData: object, more: object = {}) => ({
  properties: [
    {
      name: "p",
      reportToCloud: true,
      visitors: { configData: { register: "HoldingRegister", offset: 0, ...configData } },
      ...more,
    },
  ],
});
const propertyOf = (documents: readonly unknown[]) => {
  const { of, told } = read(documents);
  const spec = of("Device", "d")?.spec as { properties?: Record<string, Record<string, unknown>> } | undefined;
  return { property: spec?.properties?.p, told };
};

test("every sample is read: what can work here is complete, the others say what they lack", () => {
  const { resources, told } = read(documentsOf(...samples));
  const named = (kind: string) => resources.filter((one) => one.kind === kind).map((one) => one.name);
  assert.deepEqual(named("Device"), ["counter-instance", "modbusrtu-device"]);
  assert.equal(named("DeviceModel").length, 6);
  assert.deepEqual(told.filter((one) => one.includes(" refused: ")).sort(), [
    'Device "lamp" spec.protocol refused: no mapper for opcua',
    'Device "onvif-device-01" spec.protocol refused: no mapper for onvif',
    'Device "sensor-tag-instance-01" spec.protocol refused: no mapper for bluetooth',
    'Device "temperature" spec.protocol refused: is missing: without a protocol nobody can reach the device',
  ]);
});

// Whoever mends one field a round needs a round for each.
test("a document that is left out says all that stands in the way, and which of the documents it is", () => {
  const [model, device] = beta({
    ...{ nodeName: "", protocol: { protocolName: "opc-ua", configData: { url: "opc.tcp://10.0.4.13:4840" } } },
    ...{ properties: [{ name: "gone", visitors: {} }], methods: [{ name: "stop", propertyNames: ["other"] }] },
  });
  const lost = { ...device!, spec: { deviceModelRef: { name: "other" } } };
  const old = { apiVersion: "devices.kubeedge.io/v2", kind: "Device", metadata: {} };
  const list = { kind: "DeviceList", apiVersion: "v1", items: [device, lost] };
  const { resources, findings } = read([{ kind: "Pod", metadata: { name: "p" } }, model, list, old]);
  assert.deepEqual(
    resources.map((one) => `${one.index} ${one.kind} ${one.name}`),
    ["1 DeviceModel m"],
  );
  assert.deepEqual(
    findings.map(({ index, document, field, value, level }) => `${index} ${document} ${field} ${value} ${level}`),
    [
      '2 Device "d" spec.protocol "opc-ua" refused',
      '2 Device "d" spec.nodeName "" refused',
      '2 Device "d" spec.properties[0].name "gone" lossy',
      '2 Device "d" spec.methods[0].propertyNames ["other"] lossy',
      '2 Device "d" spec.methods[0].name "stop" lossy',
      '2 Device "d" metadata {"name":"d"} note',
      '2 Device "d" spec.protocol (missing) refused',
      '2 Device "d" spec.deviceModelRef.name "other" refused',
      '2 Device "d" spec.nodeName (missing) refused',
      '3 Device "" apiVersion "devices.kubeedge.io/v2" refused',
      '3 Device "" metadata.name (missing) refused',
      '0 Pod "p" kind "Pod" refused',
    ],
  );
});

test("Lists that hold more documents than one request may have are refused, none is dropped in silence", () => {
  const items = Array.from({ length: 1001 }, () => ({}));
  assert.throws(() => read([{ kind: "DeviceList", items }]), {
    code: "input/invalid",
    fields: [{ field: "documents", value: "1001 documents", rule: "must be at most 1000" }],
  });
});

test("what is read passes every check at the door", () => {
  for (const documents of [
    documentsOf(...samples),
    documentsOf("all-fields/v1alpha2.yaml"),
    documentsOf("all-fields/v1beta1.yaml"),
  ]) {
    const { resources } = read(documents);
    for (const one of resources) {
      if (one.kind === "DeviceModel") assert.deepEqual(checkModelSpec(one.spec, manifests), [], one.name);
      if (one.kind !== "Device") continue;
      const found = <K extends "Connection" | "DeviceModel">(kind: K, name: unknown) =>
        resources.find((other) => other.kind === kind && other.name === name);
      const connection = found("Connection", one.spec.connection);
      const model = found("DeviceModel", one.spec.model);
      assert.deepEqual(
        checkDeviceSpec(one.name, one.spec, {
          manifests,
          connection: connection?.kind === "Connection" ? connection.spec : null,
          model: model?.kind === "DeviceModel" ? model.spec : null,
        }),
        [],
        one.name,
      );
    }
  }
});

for (const file of ["all-fields/v1alpha2.yaml", "all-fields/v1beta1.yaml"]) {
  test(`each field of ${file} matters to what is read, or is named`, () => {
    const documents = documentsOf(file);
    const whole = JSON.stringify(read(documents));
    const refused = new Set(
      read(documents)
        .findings.filter((one) => one.level === "refused")
        .map((one) => one.document),
    );
    let fields = 0;
    const without = (value: unknown, path: readonly (string | number)[]): unknown => {
      const [key, ...rest] = path;
      if (key === undefined)
        return typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : `${String(value)}x`;
      const inner = without((value as Record<string | number, unknown>)[key], rest);
      return Array.isArray(value) ? value.with(key as number, inner) : { ...(value as object), [key]: inner };
    };
    const visit = (value: unknown, path: readonly (string | number)[]) => {
      if (typeof value === "object" && value !== null) {
        for (const [key, inner] of Object.entries(value))
          visit(inner, [...path, Array.isArray(value) ? Number(key) : key]);
        return;
      }
      const { kind, metadata } = documents[path[0] as number] as { kind: string; metadata: { name: string } };
      if (refused.has(`${kind} "${metadata.name}"`)) return;
      fields += 1;
      assert.ok(JSON.stringify(read(without(documents, path) as unknown[])) !== whole, path.join("."));
    };
    visit(documents, []);
    assert.ok(fields > 60, String(fields));
  });
}

test("cycles that look like nanoseconds are converted and told, milliseconds are not, 0 is a second", () => {
  const cycles = (collectCycle: number, reportCycle: number) => {
    const { property, told } = propertyOf(beta(register({}, { collectCycle, reportCycle })));
    return [
      property?.collect,
      property?.report,
      told.filter((one) => one.includes("Cycle")).map((one) => one.split(": ").slice(1).join(": ")),
    ];
  };
  assert.deepEqual(cycles(1000, 9_999_999), [{ every: "1s" }, { every: "9999999ms" }, []]);
  assert.deepEqual(cycles(10_000_000, 10_000_000_000), [
    { every: "10ms" },
    { every: "10s" },
    ["looks like nanoseconds: taken as 10ms, not as 10000s", "looks like nanoseconds: taken as 10s, not as 10000000s"],
  ]);
  assert.deepEqual(cycles(0, 500), [
    { every: "1s" },
    { every: "1s" },
    ["0 means 1 s to KubeEdge: taken as 1s", "nothing is reported more often than it is read: taken as 1s"],
  ]);
});

test("registers, swaps and types become raw and word order", () => {
  const rows = [
    ["INT", { limit: 1 }, { raw: "int16" }],
    ["INT", { limit: 1, isSwap: true }, { raw: "int16", wordOrder: "BADC" }],
    ["INT", { limit: 2, isRegisterSwap: true }, { raw: "int32", wordOrder: "CDAB" }],
    ["INT", { limit: 4, isSwap: true, isRegisterSwap: true }, { raw: "int64", wordOrder: "DCBA" }],
    ["FLOAT", { limit: 2, scale: 0.1 }, { raw: "float32", scale: 0.1 }],
    ["DOUBLE", { limit: 4 }, { raw: "float64" }],
    ["STRING", { limit: 8 }, { raw: "string", length: 8 }],
    ["BYTES", { limit: 2 }, { raw: "bytes", length: 2 }],
    ["BOOLEAN", { limit: 1 }, { raw: "uint16" }],
  ] as const;
  for (const [type, config, visitor] of rows) {
    const { property } = propertyOf(beta(register(config), [{ name: "p", type, accessMode: "ReadOnly" }]));
    assert.deepEqual(
      property?.visitor,
      { table: "holding", offset: 0, ...visitor },
      `${type} ${JSON.stringify(config)}`,
    );
  }
});

test("devices of one bus share a Connection, and its times are the first one's", () => {
  const [model, device] = beta(register({ limit: 1 })) as [object, { spec: { protocol: { configData: object } } }];
  const named = (name: string, slaveID: number) => ({
    ...device,
    metadata: { name },
    spec: { ...device.spec, protocol: { protocolName: "modbus", configData: { ip: "10.0.4.12", slaveID } } },
  });
  const { resources } = read([model, named("a", 1), named("b", 2)]);
  assert.deepEqual(
    resources.filter((one) => one.kind === "Connection").map((one) => [one.name, one.spec]),
    [["modbus-10-0-4-12-gw-01", { node: "gw-01", protocol: "modbus", settings: { host: "10.0.4.12" } }]],
  );
});

test("names that are no DNS labels are adapted, told, and kept apart", () => {
  const [model, device] = beta(register({ limit: 1 }), [{ name: "oil.temp (°C)", type: "INT" }]) as [object, object];
  const renamed = ["Press_1", "press-1"].map((name) => ({ ...device, metadata: { name } }));
  const { resources, told } = read([model, ...renamed]);
  assert.deepEqual(
    resources.filter((one) => one.kind === "Device").map((one) => one.name),
    ["press-1", "press-1-2"],
  );
  assert.ok(told.includes('Device "Press_1" metadata.name note: is no DNS label: taken as press-1'));
  assert.match(told.join("\n"), /DeviceModel "m" spec.properties\[0\].name note: taken as oil_temp_C/);
});

test("a node that is missing is asked for, and --node takes the place of the one that is named", () => {
  const documents = beta({ ...register({ limit: 1 }), nodeName: undefined });
  assert.match(read(documents).told.join(), /Device "d" spec.nodeName refused: is missing/);
  const { of } = read(documents, { node: "gw-07" });
  assert.equal((of("Device", "d")!.spec as { node: string }).node, "gw-07");
});

test("a model of an earlier import counts; one that is nowhere is named", () => {
  const device = beta(register({ limit: 1 })).slice(1);
  assert.match(read(device).told.join(), /spec.deviceModelRef.name refused: there is no model "m"/);
  const models = new Map([["m", { properties: { p: { type: "int64" as const } } }]]);
  assert.ok(read(device, { models }).of("Device", "d") !== undefined);
});

test("secrets of a document are never shown", () => {
  const { findings } = read(documentsOf("onvif-v1.17.device.yaml", "all-fields/v1alpha2.yaml"));
  assert.doesNotMatch(JSON.stringify(findings), /etc\/secret|client\.key/);
});
