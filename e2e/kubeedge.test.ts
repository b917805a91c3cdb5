import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { MemoryUnit, ModbusSerialServer, needs, openPtyPair } from "@penstock/testkit";
import { parseAllDocuments } from "yaml";
import { eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  await bench.close();
  for (const close of closers) await close();
});
const samples = join(root, "examples/kubeedge");
type Imported = {
  readonly change: number | null;
  readonly results: readonly { readonly kind: string; readonly name: string; readonly action: string }[];
  readonly findings: readonly {
    readonly document: string;
    readonly field: string;
    readonly level: string;
    readonly why: string;
  }[];
};
const refusedOf = ({ findings }: Imported) =>
  findings.filter((one) => one.level === "refused").map(({ document, field, why }) => `${document} ${field}: ${why}`);
/** What a script has: the exit code and the answer as data. */
async function importInto(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly done: Imported }> {
  const { code, stdout } = await bench.run(["import", ...args, "-o", "json"]);
  return { code, done: JSON.parse(stdout) as Imported };
}

test(
  "every sample of KubeEdge imports; counter and modbusrtu run, the others say what is missing",
  needs("socat"),
  async () => {
    const { a, b, close } = await openPtyPair();
    closers.push(close);
    const unit = new MemoryUnit({ coil: 10, holding: 1 });
    unit.coil[3] = true;
    const bus = new ModbusSerialServer({ path: a, units: new Map([[1, unit]]) });
    closers.push(() => bus.close());
    const cloud = await bench.startCloud();
    await bench.startEdge(cloud, "gw-01");
    const valuesOf = (device: string) =>
      eventually(`good values of ${device}`, async () => {
        const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device } });
        const isGood = properties.length > 0 && properties.every((one) => one.reported?.quality === "good");
        return isGood ? new Map(properties.map((one) => [one.property, one.reported!.value])) : null;
      });
    const file = (name: string) => join(samples, name);
    const load = (...names: readonly string[]) =>
      bench.json<Imported>(["import", ...names.map(file), "--node", "gw-01"]);

    const counter = await load("counter.model.yaml", "counter.device.yaml");
    assert.deepEqual(
      counter.results.map((one) => `${one.kind} ${one.name} ${one.action}`),
      ["DeviceModel counter-model create", "Device counter-instance create"],
    );
    assert.deepEqual([...(await valuesOf("counter-instance")).keys()].sort(), ["count", "status"]);
    const first = Number((await valuesOf("counter-instance")).get("count"));
    await eventually(
      "the counter counts",
      async () => Number((await valuesOf("counter-instance")).get("count")) > first,
    );
    const again = await load("counter.model.yaml", "counter.device.yaml");
    assert.deepEqual([again.change, ...again.results.map((one) => one.action)], [null, "unchanged", "unchanged"]);

    // The port of the sample is one of somebody's machine: here it is a pair of our own.
    const rtu = join(bench.folder, "modbusrtu.yaml");
    writeFileSync(rtu, readFileSync(file("modbusrtu.device.yaml"), "utf8").replace("/dev/ttyS0", b));
    const serial = await bench.json<Imported>(["import", file("modbus.model.yaml"), rtu, "--node", "gw-01"]);
    assert.deepEqual(
      serial.results.map((one) => one.kind),
      ["DeviceModel", "Connection", "Device"],
    );
    const values = await valuesOf("modbusrtu-device");
    assert.deepEqual(
      [...values],
      [
        ["temperature", "0"],
        ["temperature-enable", "1"],
      ],
    );
    const set = await bench.run(["set", "modbusrtu-device", "temperature", "1"]);
    assert.equal(set.code, 0, set.stderr);
    assert.equal(unit.coil[2], true);
    const told = serial.findings.find((one) => one.field === "status.twins[0].desired.value");
    assert.match(told!.why, /writes nothing to a machine/);

    const tag = await load("v1alpha-bluetooth-cc2650.model.yaml", "v1alpha-bluetooth-cc2650.device.yaml");
    assert.deepEqual(refusedOf(tag), []);
    assert.deepEqual(
      tag.results.map((one) => `${one.kind} ${one.name} ${one.action}`),
      ["DeviceModel cc2650-sensortag create", "Device sensor-tag-instance-01 create"],
    );

    // All but what our mapper has otherwise: the password's file, and the certificate of the line.
    const lamp = await importInto(...["opcua.model.yaml", "opcua.device.yaml"].map(file), "--node", "gw-01");
    assert.deepEqual([lamp.code, refusedOf(lamp.done)], [0, []]);
    assert.deepEqual(
      lamp.done.results.map((one) => `${one.kind} ${one.name} ${one.action}`),
      ["DeviceModel opcua-model create", "Connection opcua-gw-01 create", "Device lamp create"],
    );
    assert.deepEqual(
      lamp.done.findings.filter((one) => one.level === "lossy" && one.field.includes("opcua")).map((one) => one.field),
      ["password", "certificate", "privateKey"].map((field) => `spec.protocol.opcua.${field}`),
    );
    // Without its node id nobody finds the value: it is named, and nothing of the device is stored.
    const nameless = join(bench.folder, "nameless.yaml");
    writeFileSync(
      nameless,
      readFileSync(file("opcua.device.yaml"), "utf8")
        .replace("nodeID: ns=2;i=3", "browseName: switcher")
        .replace("name: lamp", "name: other-lamp"),
    );
    const unfound = await bench.run(["import", nameless, "--node", "gw-01"]);
    assert.equal(unfound.code, 2, unfound.stderr);
    assert.match(unfound.stdout + unfound.stderr, /switcher\.visitor\.nodeId.*is required/);

    for (const [names, refused] of [
      [
        ["onvif-v1.17.model.yaml", "onvif-v1.17.device.yaml"],
        'Device "onvif-device-01" spec.protocol: no mapper for onvif',
      ],
      [
        ["temperature.model.yaml", "temperature.device.yaml"],
        'Device "temperature" spec.protocol: is missing: without a protocol nobody can reach the device',
      ],
    ] as const) {
      const { code, done } = await importInto(...names.map(file), "--node", "gw-01");
      assert.deepEqual(refusedOf(done), [`${file(names[1])} document 1 ${refused}`]);
      assert.equal(code, 9, "some are refused, the rest is done");
      assert.deepEqual(
        done.results.map((one) => `${one.kind} ${one.action}`),
        ["DeviceModel create"],
      );
    }
  },
);

test("files with every field of KubeEdge's device API import, and a device goes back as v1beta1", async () => {
  const cloud = await bench.startCloud({ name: "all-fields" });
  await cloud.client.nodes.put({
    params: { tenant: "default", name: "gw-01" },
    body: { metadata: { name: "gw-01" }, spec: {} },
    create: true,
  });
  for (const [version, code] of [
    ["v1alpha2", 0],
    ["v1beta1", 9],
  ] as const) {
    const file = join(samples, "all-fields", `${version}.yaml`);
    const done = await bench.run(["import", file]);
    assert.equal(done.code, code, done.stderr);
    assert.match(done.stdout, /^LEVEL +DOCUMENT +FIELD/m);
    if (code === 0) continue;
    const leftOut = done.stdout.slice(done.stdout.search(/^\d+ documents? (is|are) left out:$/m)).split("\n");
    assert.match(leftOut[1]!, new RegExp(`^  ${file} document \\d+ \\w+ ".*"$`));
  }
  const back = await bench.run(["export", "device", "press-1", "--kubeedge"]);
  const [model, device] = parseAllDocuments(back.stdout).map(
    (one) => one.toJS() as { kind: string; spec: { properties: { name: string }[] } },
  );
  assert.deepEqual([model!.kind, device!.kind], ["DeviceModel", "Device"]);
  assert.equal(device!.spec.properties.length, 6);
  writeFileSync(join(bench.folder, "back.yaml"), back.stdout);
  const same = await importInto(join(bench.folder, "back.yaml"));
  assert.deepEqual([same.code, refusedOf(same.done)], [0, []]);

  const applied = await bench.run(["apply", "-f", join(samples, "counter.device.yaml")]);
  assert.match(applied.stderr, /is a document of KubeEdge: use penstock import/);
  const lost = await bench.run(["import", join(samples, "counter.model.yaml"), join(samples, "counter.device.yaml")]);
  assert.equal(lost.code, 2);
  const counter = join(samples, "counter.device.yaml");
  assert.match(lost.stderr, /Device "counter-instance" spec\.node: "kind-worker": there is no Node/);
  assert.ok(lost.stderr.includes(`${counter} document 1 Device "counter-instance" spec.node`), lost.stderr);
  // All of one file refused: nothing is done, and each of its documents and fields is named.
  writeFileSync(
    join(bench.folder, "refused.yaml"),
    [
      "{ apiVersion: v1, kind: ConfigMap, metadata: { name: settings } }",
      "{ apiVersion: devices.kubeedge.io/v1beta1, kind: Device, metadata: { name: lone }, spec: { protocol: { protocolName: can } } }",
    ].join("\n---\n"),
  );
  const foreign = await bench.run(["import", join(bench.folder, "refused.yaml")]);
  assert.equal(foreign.code, 2);
  assert.match(foreign.stderr, /refused\.yaml document 1 apiVersion: v1: must be devices\.kubeedge\.io/);
  writeFileSync(
    join(bench.folder, "refused.yaml"),
    "{ apiVersion: devices.kubeedge.io/v1beta1, kind: Device, metadata: { name: lone }, spec: { protocol: { protocolName: can } } }",
  );
  const none = await importInto(join(bench.folder, "refused.yaml"));
  assert.equal(none.code, 2, "all are refused: nothing is done");
  assert.deepEqual(
    none.done.findings.map((one) => `${one.document.slice(bench.folder.length + 1)} ${one.field}`),
    ["spec.protocol", "spec.deviceModelRef.name", "spec.nodeName"].map(
      (field) => `refused.yaml document 1 Device "lone" ${field}`,
    ),
  );
});
