import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CloudProcess, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
let cloud: CloudProcess;
before(async () => {
  cloud = await bench.startCloud();
  const token = await bench.run(["edge", "token", "gw-01"]);
  assert.equal(token.code, 0, token.stderr);
});
after(() => bench.close());

function file(name: string, text: string): string {
  const path = join(bench.folder, name);
  writeFileSync(path, text);
  return path;
}
async function said(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await bench.run(args);
  assert.equal(code, 0, stderr);
  return stdout;
}
const device = (name: string, offset: number) => `kind: Device
metadata: { name: ${name} }
spec:
  node: gw-01
  connection: bus-a
  address: { unitId: 3 }
  properties:
    temperature: { type: float64, unit: Cel, visitor: { table: holding, offset: ${offset}, raw: int32, scale: 0.1 } }
`;
const bus = `kind: Connection
metadata: { name: bus-a }
spec: { node: gw-01, protocol: modbus, settings: { host: 127.0.0.1 } }
---
`;

// Instance first: the template comes afterwards, from what is there.
test("devices first, a model of them later, where values come from, and an edit that reaches them in waves", async () => {
  const two = file("two.yaml", `${bus}${device("temp-01", 0)}---\n${device("temp-02", 2)}`);
  assert.match(await said(["apply", "--dry-run", "-f", two]), /Device "temp-01" would be created/);
  assert.deepEqual((await cloud.client.devices.list({ params: { tenant: "default" } })).items, []);
  await said(["apply", "-f", two]);
  assert.match(await said(["apply", "--dry-run", "-f", two]), /Device "temp-01" stays unchanged/);

  assert.match(
    await said(["model", "from", "temp-01", "temp-02", "--name", "temp"]),
    /"temp" is made of temp-01, temp-02/,
  );
  const described = await said(["describe", "device", "temp-02"]);
  assert.match(described, /properties\.temperature\.visitor\.offset\s+2\s+device/);
  assert.match(described, /properties\.temperature\.visitor\.scale\s+0\.1\s+model temp/);
  assert.match(described, /connection\.settings\.host\s+"127\.0\.0\.1"\s+connection bus-a/);
  assert.match(described, /connection\.settings\.port\s+502\s+mapper default modbus/);
  assert.match(described, /properties\.temperature\.collect\.every\s+"1s"\s+built-in default/);

  const got = await said(["get", "model", "temp", "-o", "yaml"]);
  const edited = file("temp.yaml", got.replace("unit: Cel", "unit: K"));
  const preview = await said(["model", "preview", "-f", edited]);
  assert.match(preview, /touches 2 devices, 0 stay as they are/);
  assert.match(preview, /temp-01\s+properties\.temperature\.unit\s+"Cel"\s+"K"/);
  assert.match(await said(["model", "roll", "-f", edited, "--waves", "1,100%", "--pause", "1h"]), /is running/);
  const progress = await said(["model", "rollout", "temp"]);
  assert.match(progress, /1\s+has it\s+temp-01/);
  assert.match(progress, /2\s+waits\s+temp-02/);
  assert.match(await said(["model", "rollout", "temp", "--cancel"]), /is cancelled/);
  assert.match(await said(["get", "model", "temp", "-o", "yaml"]), /unit: Cel/);
});

test("apply --dry-run tells all that is wrong with all documents at once, by the rules of the mapper", async () => {
  const bad = file(
    "bad.yaml",
    `${device("temp-03", 3)}---\n${device("temp-04", 9).replace("holding", "input").replace("type:", "access: readWrite, type:")}`,
  );
  const { code, stderr } = await bench.run(["apply", "--dry-run", "-f", bad]);
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /Device "temp-03" spec\.properties\.temperature\.visitor\.offset: 3: lies where property "temperature" of device "temp-02" lies/,
  );
  assert.match(stderr, /Device "temp-04" spec\.properties\.temperature\.access: "readWrite": must be read/);
});
