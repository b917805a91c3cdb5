import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { foreignSparkplug, needs } from "@penstock/testkit";
import { parse } from "yaml";
import { Mosquitto } from "../packages/mappers/mqtt/test/mosquitto.ts";
import { assertAsyncApi } from "../packages/wire/src/asyncapi/test-asyncapi.ts";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

/** Applications of other people at the gateway: what a plant engineer writes in the cloud is what a foreign client meets. */
const needed = needs("mosquitto", "mosquitto-clients", "python3-protobuf");
const [password, second] = ["Zq7vTwinRiver42", "Kx9mSecondLake17"];
const bench = new TestBench();
const children: ChildProcess[] = [];
let cloud: CloudProcess;
let edge: EdgeProcess;
let broker: Mosquitto | null = null;

before(async () => {
  if (needed.skip !== undefined) return;
  const plant = await bench.startPlant();
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01");
  await applied(documents("", plant));
});
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await bench.close();
  await broker?.close();
});

let plantAt = { host: "", port: 0 };
function documents(more: string, plant = plantAt): string {
  plantAt = plant;
  return `
apiVersion: penstock.dev/v1
kind: Node
metadata: { name: gw-01 }
spec:
  mqtt:
    anonymous: none
    formats: [flat, tags, sparkplug]
    retain: true
    users:
      screen: { password: "${password}", publish: ["apps/%u/#", "#"], subscribe: ["penstock/#", "apps/%u/#"] }
      host: { password: "${second}", publish: ["spBv1.0/#"] }
    ${more}
---
apiVersion: penstock.dev/v1
kind: Connection
metadata: { name: plant }
spec: { node: gw-01, protocol: modbus, settings: { host: ${plant.host}, port: ${plant.port} } }
---
apiVersion: penstock.dev/v1
kind: Device
metadata: { name: tank-01 }
spec:
  node: gw-01
  connection: plant
  address: { unitId: 1 }
  properties:
    level: { type: float32, unit: m, visitor: { table: input, offset: 0 }, collect: { every: 200ms } }
`;
}
async function applied(text: string): Promise<void> {
  const { code, stdout, stderr } = await bench.run(["apply", "-f", "-"], { input: text });
  assert.equal(code, 0, stdout + stderr);
}

const asScreen = ["-u", "screen", "-P", password];
const asHost = ["-u", "host", "-P", second];
/** Runs one of Debian's clients against the gateway to its end. */
async function client(program: "mosquitto_sub" | "mosquitto_pub", args: readonly string[]) {
  const { hostname, port } = new URL(edge.mqttAddress);
  const child = spawn(program, ["-V", "5", "-h", hostname, "-p", port, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  return { code: code as number, text, lines: text.trimEnd().split("\n") };
}

test("a user with a password has the last value at once; nobody else comes in", needed, async () => {
  const topic = ["-t", "penstock/default/tank-01/data", "-C", "1", "-W", "10"];
  const got = await eventually("the gateway to take its users", async () => {
    const tried = await client("mosquitto_sub", [...asScreen, ...topic, "-W", "1", "-F", "%r %p"]);
    return tried.code === 0 && tried.text.startsWith("1 ") ? tried : null;
  });
  assert.match(got.text, /^1 \{"time":"[^"]+","values":\{"level":[\d.]+\}\}$/m);
  const tags = await client("mosquitto_sub", [...asScreen, "-t", "penstock/+/+/tags", "-C", "1", "-W", "10"]);
  const [tag] = JSON.parse(tags.text);
  assert.deepEqual([tag.name, tag.unit, tag.quality], ["level", "m", "good"]);
  for (const login of [[], ["-u", "screen"], ["-u", "screen", "-P", "guess"], ["-u", "other", "-P", password]]) {
    const { code, text } = await client("mosquitto_sub", [...login, ...topic]);
    assert.notEqual(code, 0, login.join(" "));
    assert.match(text, /not authori[sz]ed|bad user name or password/i);
  }
});

test("a user publishes and subscribes where it may, and never speaks for the gateway", needed, async () => {
  const tell = (topic: string) => client("mosquitto_pub", [...asScreen, "-q", "1", "-t", topic, "-m", "x"]);
  await client("mosquitto_pub", [...asScreen, "-q", "1", "-r", "-t", "apps/screen/state", "-m", "on"]);
  const seen = await client("mosquitto_sub", [...asScreen, "-t", "apps/screen/#", "-C", "1", "-W", "10", "-v"]);
  assert.equal(seen.text, "apps/screen/state on\n");
  for (const topic of ["penstock/default/tank-01/data", "$ke/events/x", "spBv1.0/default/DDATA/gw-01/tank-01"]) {
    assert.match((await tell(topic)).text, /not authorized/i, topic);
  }
  const denied = await client("mosquitto_sub", [...asScreen, "-t", "spBv1.0/#", "-C", "1", "-W", "3"]);
  assert.match(denied.text, /denied/);
});

// Nobody comes in without a login here; rules need none.
test("a rule reads what an application says at the gateway's broker, and answers there", needed, async () => {
  await applied(`
apiVersion: penstock.dev/v1
kind: Rule
metadata: { name: doubles }
spec:
  nodes: [gw-01]
  sql: SELECT n * 2 AS twice FROM raw
  sources: { raw: { mqtt: { topic: apps/screen/raw } } }
  actions: [{ mqtt: { topic: apps/screen/twice, qos: 1 } }]
`);
  // Acknowledged when the rule has it.
  const tell = ["-q", "1", "-r", "-t", "apps/screen/raw", "-m", '{"n":21}'];
  assert.equal((await client("mosquitto_pub", [...asScreen, ...tell])).code, 0);
  const heard = await eventually("the rule's answer", async () => {
    const hear = client("mosquitto_sub", [...asScreen, "-t", "apps/screen/twice", "-C", "1", "-W", "2"]);
    await client("mosquitto_pub", [...asScreen, ...tell]);
    const { text } = await hear;
    return text.startsWith("{") ? text : null;
  });
  assert.equal(heard, '{"twice":42}\n');
});

test("a Sparkplug host reads births and data with Google's protobuf, and asks for births again", needed, async () => {
  const read = async (args: readonly string[]) => {
    const { lines, text } = await client("mosquitto_sub", [...asHost, "-W", "15", "-F", "%t %x", ...args]);
    const parts = lines.map((line) => line.split(" "));
    assert.ok(
      parts.every((part) => part.length === 2),
      text,
    );
    const payloads = foreignSparkplug(parts.map(([, hex]) => Buffer.from(hex!, "hex")));
    return new Map(parts.map(([topic], i) => [topic!.replace("$sparkplug/certificates/", ""), payloads[i]!]));
  };
  const kept = await read(["-t", "$sparkplug/certificates/#", "-C", "2"]);
  const birth = kept.get("spBv1.0/default/DBIRTH/gw-01/tank-01")?.metrics?.[0];
  assert.deepEqual([birth?.name, birth?.datatype], ["level", 9]);
  assert.deepEqual(birth?.properties?.keys, ["Quality", "engUnit"]);
  assert.equal(kept.get("spBv1.0/default/NBIRTH/gw-01")?.seq, "0");
  const news = read(["-t", "spBv1.0/default/NBIRTH/+", "-t", "spBv1.0/default/DBIRTH/+/+", "-C", "2"]);
  const data = await read(["-t", "spBv1.0/default/DDATA/+/+", "-C", "3"]);
  const metric = [...data.values()][0]?.metrics?.[0];
  assert.deepEqual([metric?.name, metric?.alias], [undefined, birth?.alias]);
  assert.equal(typeof metric?.float_value, "number");
  // "Node Control/Rebirth" = true: Payload { metrics: { name, datatype: 11, boolean_value: true } }
  const name = Buffer.from("Node Control/Rebirth");
  const inner = Buffer.concat([Buffer.from([0x0a, name.length]), name, Buffer.from([0x20, 11, 0x70, 1])]);
  const command = Buffer.concat([Buffer.from([0x12, inner.length]), inner]);
  const { hostname, port } = new URL(edge.mqttAddress);
  const args = ["-V", "5", "-h", hostname, "-p", port, ...asHost, "-q", "1", "-t", "spBv1.0/default/NCMD/gw-01", "-s"];
  const child = spawn("mosquitto_pub", args, { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.end(command);
  const [code] = await once(child, "close");
  assert.equal(code, 0);
  assert.deepEqual([...(await news).keys()].sort(), [
    "spBv1.0/default/DBIRTH/gw-01/tank-01",
    "spBv1.0/default/NBIRTH/gw-01",
  ]);
});

test("the cloud, the gateway and the command give the same AsyncAPI document, and no password", needed, async () => {
  const { stdout, code } = await bench.run(["export", "asyncapi", "--node", "gw-01"]);
  assert.equal(code, 0);
  const document = parse(stdout);
  assertAsyncApi(document);
  const token = readFileSync(join(edge.folder, "local-api/token"), "utf8").trim();
  const answer = await fetch(`${edge.localAddress}/api/v1/asyncapi`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual(await answer.json(), document);
  assert.doesNotMatch(stdout, /Zq7v|Kx9m/);
  const missing = await bench.run(["export", "asyncapi", "--node", "gw-99"]);
  assert.notEqual(missing.code, 0);
});

test("another program's broker takes the embedded one's place; after its restart data goes on", needed, async () => {
  broker = await Mosquitto.start();
  const { url, port } = broker;
  const listen = () => {
    const args = ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", `${port}`, "-t", "#", "-F", "%t %x"];
    const child = spawn("stdbuf", args, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    const heard = { text: "" };
    child.stdout.on("data", (chunk) => {
      heard.text += chunk;
    });
    return heard;
  };
  const first = listen();
  await applied(documents(`broker: { url: "${url}" }`));
  await eventually("births at mosquitto", () => /NBIRTH[\s\S]*DDATA/.test(first.text));
  assert.match(first.text, /^penstock\/default\/tank-01\/data /m);
  await broker.kill();
  await broker.restart();
  const again = listen();
  await eventually("data after the restart", () => /DDATA/.test(again.text));
  // The rule has gone over with it.
  await eventually("the rule's answer at the other broker", async () => {
    await broker!.publish("apps/screen/raw", '{"n":4}');
    return again.text.includes(`apps/screen/twice ${Buffer.from('{"twice":8}').toString("hex")}`);
  });
});

test("no password of an MQTT user is in any file of the cloud or the gateway", needed, () => {
  const files = readdirSync(bench.folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  assert.ok(files.length > 5);
  for (const { parentPath, name } of files) {
    const bytes = readFileSync(join(parentPath, name));
    for (const text of [password, second]) assert.ok(!bytes.includes(text), join(parentPath, name));
  }
});
