import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { checkAgainstManifest, parseManifest } from "../mapper-manifest.ts";
import { fromKubeEdge } from "./from-kubeedge.ts";

const root = new URL("../../../../", import.meta.url);
const manifest = parseManifest(readFileSync(new URL("packages/mappers/ble/mapper.json", root), "utf8"));
const documentsOf = (name: string) =>
  parseAllDocuments(readFileSync(new URL(`examples/kubeedge/${name}`, root), "utf8")).map(
    (one) => one.toJS() as unknown,
  );

function read(documents: readonly unknown[]) {
  const { resources, findings } = fromKubeEdge({ documents, tenant: "default", manifests: [manifest] });
  const device = resources.find((one) => one.kind === "Device")?.spec as
    | { readonly address?: object; readonly properties: Readonly<Record<string, { readonly visitor?: object }>> }
    | undefined;
  const visitors = Object.fromEntries(
    Object.entries(device?.properties ?? {}).map(([name, one]) => [name, one.visitor]),
  );
  const told = findings.filter((one) => one.level !== "note").map((one) => `${one.field} ${one.level}: ${one.why}`);
  return { device, visitors, told };
}

test("KubeEdge's CC2650 sample is a device of the ble mapper", () => {
  const { device, visitors, told } = read([
    ...documentsOf("v1alpha-bluetooth-cc2650.model.yaml"),
    ...documentsOf("v1alpha-bluetooth-cc2650.device.yaml"),
  ]);
  assert.deepEqual(device?.address, { mac: "BC:6A:29:AE:CC:96" });
  assert.deepEqual(visitors.temperature, {
    ...{ characteristic: "f000aa0104514000b000000000000000", start: 1, end: 0, shiftRight: 2 },
    operations: ["multiply 0.03125"],
  });
  assert.deepEqual(visitors["temperature-enable"], {
    characteristic: "f000aa0204514000b000000000000000",
    words: ["ON=01", "OFF=00"],
  });
  for (const [name, visitor] of Object.entries(visitors)) {
    const errors = checkAgainstManifest(manifest, { address: device?.address, visitor });
    assert.deepEqual(errors, [], name);
  }
  const words = told.filter((one) => one.includes("dataWrite"));
  assert.equal(words.length, 1, "io-data has words and is an int in its model");
  assert.match(words[0]!, /lossy: words stand for bytes of a property of type string, and this one has type int64$/);
});

test("a converter is read where it stands, and what cannot be kept is told", () => {
  const beta = (configData: object, type = "FLOAT") =>
    read([
      {
        ...{ apiVersion: "devices.kubeedge.io/v1beta1", kind: "DeviceModel", metadata: { name: "m" } },
        spec: { protocol: "bluetooth", properties: [{ name: "p", type, accessMode: "ReadWrite" }] },
      },
      {
        ...{ apiVersion: "devices.kubeedge.io/v1beta1", kind: "Device", metadata: { name: "d" } },
        spec: {
          ...{ nodeName: "gw-01", deviceModelRef: { name: "m" } },
          protocol: { protocolName: "bluetooth", configData: { macAddress: "AA:BB:CC:DD:EE:FF" } },
          properties: [
            {
              name: "p",
              visitors: { protocolName: "bluetooth", configData: { characteristicUUID: "2a6e", ...configData } },
            },
          ],
        },
      },
    ]);
  const orderOfOperations = [
    { operationType: "Subtract", operationValue: 40 },
    { operationType: "divide", operationValue: 1e-7 },
  ];
  const full = beta({ dataConverter: { startIndex: 0, endIndex: 1, shiftLeft: 4, shiftRight: 0, orderOfOperations } });
  assert.deepEqual(full.told, []);
  assert.deepEqual(full.visitors.p, {
    ...{ characteristic: "2a6e", start: 0, end: 1, shiftLeft: 4 },
    operations: ["subtract 40", "divide 0.0000001"],
  });
  const odd = beta({ dataConverter: { orderOfOperations: [{ operationType: "Power", operationValue: 2 }] } });
  assert.deepEqual(odd.visitors.p, { characteristic: "2a6e" });
  assert.equal(odd.told.length, 1);
  assert.deepEqual(beta({ dataWrite: { Red: [1, 255] } }, "STRING").visitors.p, {
    characteristic: "2a6e",
    words: ["Red=01ff"],
  });
});
