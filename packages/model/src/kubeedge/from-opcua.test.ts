import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { checkAgainstManifest, parseManifest } from "../mapper-manifest.ts";
import { checkDeviceSpec } from "../resources/check-device-spec.ts";
import { fromKubeEdge } from "./from-kubeedge.ts";

const root = new URL("../../../../", import.meta.url);
const manifest = parseManifest(readFileSync(new URL("packages/mappers/opcua/mapper.json", root), "utf8"));
const manifests = [manifest];

function read(documents: readonly unknown[]) {
  const { resources, findings } = fromKubeEdge({ documents, tenant: "default", manifests });
  const lines = resources.flatMap((one) => (one.kind === "Connection" ? [one.spec] : []));
  const devices = resources.flatMap((one) => (one.kind === "Device" ? [one] : []));
  const models = resources.flatMap((one) => (one.kind === "DeviceModel" ? [one.spec] : []));
  const told = findings
    .filter((one) => /protocol\.|opcua|visitors/.test(one.field))
    .map((one) => `${one.level} ${one.field.split(".").at(-1)} ${one.value}`);
  return { lines, devices, models, told };
}

/** A v1beta1 device with these settings, and one property with these. */
const beta = (configData: object, visitor: object = { nodeID: "ns=2;s=T" }) =>
  read([
    {
      ...{ apiVersion: "devices.kubeedge.io/v1beta1", kind: "DeviceModel", metadata: { name: "m" } },
      spec: { protocol: "opcua", properties: [{ name: "p", type: "FLOAT", accessMode: "ReadWrite" }] },
    },
    {
      ...{ apiVersion: "devices.kubeedge.io/v1beta1", kind: "Device", metadata: { name: "d" } },
      spec: {
        ...{ nodeName: "gw-01", deviceModelRef: { name: "m" } },
        protocol: { protocolName: "opc-ua", configData: { url: "opc.tcp://10.0.4.20:4840", ...configData } },
        properties: [{ name: "p", visitors: { protocolName: "opc-ua", configData: visitor } }],
      },
    },
  ]);
/** The connection, wherever it stands: a device that shares nothing has it inline. */
function settingsOf({ lines, devices }: ReturnType<typeof read>): object {
  const connection = lines[0] ?? devices[0]!.spec.connection;
  return (connection as { readonly settings: object }).settings;
}
const url = "opc.tcp://10.0.4.20:4840";

test("KubeEdge's OPC UA sample is a device of the opcua mapper, and what ours has otherwise is named", () => {
  const documents = ["opcua.model.yaml", "opcua.device.yaml"].flatMap((name) =>
    parseAllDocuments(readFileSync(new URL(`examples/kubeedge/${name}`, root), "utf8")).map(
      (one) => one.toJS() as unknown,
    ),
  );
  const done = read(documents);
  assert.deepEqual(settingsOf(done), {
    ...{ url: "opc.tcp://192.168.56.103:4840", user: "testuser" },
    ...{ policy: "Basic256Sha256", mode: "Sign" },
  });
  const [lamp] = done.devices;
  assert.deepEqual(lamp!.spec.custom, { remoteCertificate: "/ca/servercert.pem" });
  assert.deepEqual(lamp!.spec.properties?.temperature?.visitor, { nodeId: "ns=2;i=2" });
  assert.deepEqual(done.told, [
    "lossy password (hidden)",
    'lossy certificate "/ca/clientcert.pem"',
    "lossy privateKey (hidden)",
    'note remoteCertificate "/ca/servercert.pem"',
  ]);
  const [connection, model] = [done.lines[0] ?? null, done.models[0] ?? null];
  assert.deepEqual(checkDeviceSpec("lamp", lamp!.spec, { manifests, connection, model }), []);
});

test("every word of KubeEdge's OPC UA settings has its place, or is told", () => {
  const cases: [object, object, string[]][] = [
    [{ userName: "op", password: "s3cret" }, { user: "op", password: "s3cret" }, []],
    [{ password: "s3cret" }, {}, ["lossy password (hidden)"]],
    [
      { certificate: "/c.pem", privateKey: "/k.pem" },
      { userCertificate: "/c.pem", userKey: "/k.pem" },
      ['note certificate "/c.pem"'],
    ],
    [{ certificate: "/c.pem" }, {}, ['lossy certificate "/c.pem"']],
    [{ securityPolicy: "None", securityMode: "None" }, { policy: "None" }, []],
    [{ securityPolicy: "", securityMode: "" }, {}, []],
    [
      { securityPolicy: "aes128-sha256-RsaOaep", securityMode: "signandencrypt" },
      { policy: "Aes128_Sha256_RsaOaep", mode: "SignAndEncrypt" },
      [],
    ],
    [{ securityPolicy: "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256" }, { policy: "Basic256Sha256" }, []],
    [{ securityPolicy: "Rot13" }, {}, ['lossy securityPolicy "Rot13"']],
    [{ securityMode: "Sign" }, {}, ['lossy securityMode "Sign"']],
    [
      { securityPolicy: "Basic256Sha256", securityMode: "None" },
      { policy: "Basic256Sha256" },
      ['lossy securityMode "None"'],
    ],
    [{ securityMode: "Seal" }, {}, ['lossy securityMode "Seal"']],
  ];
  for (const [given, wanted, told] of cases) {
    const done = beta(given);
    assert.deepEqual(settingsOf(done), { url, ...wanted }, JSON.stringify(given));
    assert.deepEqual(done.told, told, JSON.stringify(given));
    assert.deepEqual(checkAgainstManifest(manifest, { connection: settingsOf(done) }), [], JSON.stringify(given));
  }
});

test("a timeout is in seconds, within the bounds of a line", () => {
  const lineOf = (timeout: number) => {
    const { lines, devices, told } = beta({ timeout });
    const connection = (lines[0] ?? devices[0]!.spec.connection) as { readonly line?: object };
    return { line: connection.line, told };
  };
  assert.deepEqual(lineOf(10), { line: { timeout: "10s", connectTimeout: "10s" }, told: ["note timeout 10"] });
  assert.deepEqual(lineOf(1e6).told, ["lossy timeout 1000000"]);
});

test("a property without a node id that can be read is named, and does not pass the check at the door", () => {
  for (const [visitor, value] of [
    [{ browseName: "T" }, "(missing)"],
    [{ nodeID: "ns=2,s=T" }, '"ns=2,s=T"'],
  ] as const) {
    const { devices, models, lines, told } = beta({}, visitor);
    assert.ok(told.includes(`lossy nodeID ${value}`), told.join("\n"));
    const problems = checkDeviceSpec("d", devices[0]!.spec, {
      ...{ manifests, connection: lines[0] ?? null, model: models[0] ?? null },
    });
    assert.deepEqual(
      problems.map((one) => one.field),
      ["spec.properties.p.visitor.nodeId"],
    );
  }
  assert.deepEqual(beta({}, { nodeID: "i=85", browseName: "Objects" }).told, ['note browseName "Objects"']);
});
