import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { needs } from "@penstock/testkit";
import { unzipSync } from "fflate";
import { Mosquitto } from "../packages/mappers/mqtt/test/mosquitto.ts";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

/**
 * Passwords of devices, on their whole way: what a person writes is what the broker gets, and no file, answer, output or
 * line of a log ever has it.
 */
const needed = needs("mosquitto", "mosquitto-clients");
const password = "Zq7vTwinRiver42";
const second = "Kx9mSecondLake17";
const unknownPlace = "Wb3nThirdStone88";
const bench = new TestBench();
let cloud: CloudProcess;
let edge: EdgeProcess;
let broker: Mosquitto;
/** everything that programs said, by what was asked */
const said: [about: string, text: string][] = [];

before(async () => {
  if (needed.skip !== undefined) return;
  // The first start makes the folder that the password file is to stand in.
  broker = await Mosquitto.start();
  const conf = join(broker.folder, "mosquitto.conf");
  const anonymous = readFileSync(conf, "utf8");
  const known = `allow_anonymous false\npassword_file ${broker.folder}/passwords`;
  writeFileSync(conf, anonymous.replace("allow_anonymous true", known));
  setPassword(password);
  await broker.kill();
  await broker.restart();
  const trace = ["--log-level", "trace"];
  cloud = await bench.startCloud({ args: trace, logPath: join(bench.folder, "cloud.log") });
  edge = await bench.startEdge(cloud, "gw-01", { args: trace, logPath: join(bench.folder, "edge.log") });
});
after(async () => {
  await bench.close();
  await broker?.close();
});

function setPassword(text: string): void {
  const path = join(broker.folder, "passwords");
  writeFileSync(path, `press:${text}\n`);
  execFileSync("mosquitto_passwd", ["-U", path], { stdio: "ignore" });
}
const loginOf = (text: string) => ["-u", "press", "-P", text];

async function run(args: readonly string[], input?: string) {
  const outcome = await bench.run(args, input === undefined ? {} : { input });
  said.push([`penstock ${args.join(" ")}`, outcome.stdout + outcome.stderr]);
  return outcome;
}
async function runs(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(args, input);
  assert.equal(code, 0, `penstock ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
}
async function answer(path: string, base = cloud.localAddress, token = cloud.token): Promise<string> {
  const response = await fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  said.push([`GET ${path}`, text]);
  assert.equal(response.status, 200, `${path}: ${text}`);
  return text;
}
async function temperature(): Promise<unknown> {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "press-3" } });
  const reported = properties.find(({ property }) => property === "temperature")?.reported;
  return reported?.value ?? reported?.reason;
}
/** A value that a foreign client publishes comes through: the gateway is logged in. */
async function comesThrough(value: number, login: string): Promise<void> {
  await broker.publish("plant/press-3/state", JSON.stringify({ temperature: value }), ["-r", ...loginOf(login)]);
  await eventually(`temperature ${value}`, async () => (await temperature()) === value, 60_000);
}

/** A text as it may stand in a file: plain, in wide characters, in hex, or in base64 at any of its three turns. */
function* shapesOf(text: string): Generator<Buffer> {
  yield Buffer.from(text);
  yield Buffer.from(text, "utf16le");
  yield Buffer.from(Buffer.from(text).toString("hex"));
  for (const lead of ["", "x", "xx"]) {
    const base64 = Buffer.from(lead + text).toString("base64");
    // Its first and last characters have bits of what stands around it.
    yield Buffer.from(base64.slice(lead === "" ? 0 : 4, -4));
  }
}
function holds(bytes: Buffer): string | null {
  for (const text of [password, second, unknownPlace]) {
    for (const shape of shapesOf(text)) if (bytes.includes(shape)) return shape.toString("latin1");
  }
  return null;
}
/** Programs that run put some away meanwhile. */
function bytesOf(name: string): Buffer {
  try {
    return readFileSync(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return Buffer.alloc(0);
  }
}
function assertNowhere(): void {
  const files = readdirSync(bench.folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const names = files.map(({ parentPath, name }) => join(parentPath, name));
  for (const wanted of ["cloud/state.db", "gw-01/resources/", "cloud.log", "edge.log"]) {
    assert.ok(
      names.some((name) => name.slice(bench.folder.length + 1).startsWith(wanted)),
      wanted,
    );
  }
  for (const name of names) assert.equal(holds(bytesOf(name)), null, name);
  for (const [about, text] of said) assert.equal(holds(Buffer.from(text)), null, about);
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: topics have placeholders of that shape
const topic = "plant/${device}/state";
const documents = (text: string) => `
apiVersion: penstock.dev/v1
kind: Connection
metadata: { name: hall-broker }
spec:
  node: gw-01
  protocol: mqtt
  settings: { url: "mqtt://127.0.0.1:${broker.port}", user: press, password: "${text}" }
---
apiVersion: penstock.dev/v1
kind: Device
metadata: { name: press-3 }
spec:
  node: gw-01
  connection: hall-broker
  properties:
    temperature: { type: float64, visitor: { topic: "${topic}", path: $.temperature }, collect: { subscribe: true } }
---
apiVersion: penstock.dev/v1
kind: Device
metadata: { name: own-line }
spec:
  node: gw-01
  connection:
    protocol: mqtt
    settings: { url: "mqtt://127.0.0.1:${broker.port}", user: press, password: "${text}" }
  custom: { apiToken: "${unknownPlace}" }
  properties:
    temperature: { type: float64, visitor: { topic: other, path: $.temperature }, collect: { subscribe: true } }
`;

test("a device's password reaches the device, and stands in no file, answer, output or log", needed, async () => {
  // Proof that the broker looks: nobody comes in with another one.
  await assert.rejects(broker.publish("plant/press-3/state", "{}", loginOf("guess")));
  await runs(["apply", "-f", "-", "--dry-run"], documents(password));
  await runs(["apply", "-f", "-"], documents(password));
  await comesThrough(20.5, password);
  assertNowhere();
});

/** A rule whose sources and actions log in everywhere; those that nobody answers keep results on the disk. */
const ruleDocument = (text: string) => `
apiVersion: penstock.dev/v1
kind: Rule
metadata: { name: everywhere }
spec:
  nodes: [gw-01]
  sql: SELECT n FROM s
  sources:
    s: { mqtt: { topic: plant/rule-in, broker: { url: "mqtt://127.0.0.1:${broker.port}", user: press, password: "${text}" } } }
  actions:
    - mqtt: { topic: plant/rule-out, broker: { url: "mqtt://127.0.0.1:${broker.port}", user: press, password: "${text}" } }
    - http: { url: "http://127.0.0.1:1/x", token: "${text}", headers: { X-Api-Key: "${text}" }, cache: {} }
    - influx: { url: "http://127.0.0.1:1", bucket: b, measurement: m, token: "${text}", cache: {} }
    - redis: { url: "redis://127.0.0.1:1", user: press, password: "${text}", key: k, cache: {} }
    - sql: { url: "postgres://127.0.0.1:1/x", user: press, password: "${text}", table: t, cache: {} }
---
apiVersion: penstock.dev/v1
kind: Rule
metadata: { name: asks }
spec:
  nodes: [gw-01]
  sql: SELECT count(*) AS n FROM s GROUP BY TUMBLINGWINDOW(ss, 1)
  sources:
    s: { http: { url: "http://127.0.0.1:1/v", every: 200ms, token: "${text}", headers: { Authorization: "Bearer ${text}" } } }
  actions: [{ log: {} }]
---
apiVersion: penstock.dev/v1
kind: Rule
metadata: { name: hot }
spec:
  nodes: [gw-01]
  condition: { device: press-3, property: temperature, above: 20 }
  actions:
    - alarm: { name: hot, message: hot, notify: [{ webhook: { url: "http://127.0.0.1:1/hook", secret: "${text}" } }] }
`;
/** Results of the rule at the broker, which both its source and its action log in to. */
async function goesThroughRule(n: number, login: string): Promise<void> {
  const args = [
    "-h",
    "127.0.0.1",
    "-p",
    `${broker.port}`,
    ...loginOf(login),
    "-t",
    "plant/rule-out",
    "-C",
    "1",
    "-W",
    "2",
  ];
  await eventually(
    `result ${n} of the rule`,
    async () => {
      const heard = promisify(execFile)("mosquitto_sub", args).catch(() => ({ stdout: "" }));
      await broker.publish("plant/rule-in", JSON.stringify({ n }), ["-q", "1", "-r", ...loginOf(login)]);
      return (await heard).stdout.includes(`{"n":${n}}`);
    },
    60_000,
  );
}

test("what rules log in with reaches whom it is for, and stands nowhere either", needed, async () => {
  await runs(["apply", "-f", "-"], ruleDocument(password));
  await goesThroughRule(1, password);
  await eventually("results on the gateway's disk", () => {
    const names = readdirSync(join(edge.folder, "rules"), { recursive: true }).map(String);
    return ["1-http", "2-influx", "3-redis", "4-sql"].every((one) =>
      names.some((name) => name.includes(one) && name.endsWith(".results")),
    );
  });
  // Whom the cloud tells waits in its store.
  await comesThrough(20.75, password);
  await eventually("the alarm in the cloud", async () =>
    (await answer("/api/v1/tenants/default/alarms")).includes('"hot"'),
  );
  const outputs = [
    await runs(["get", "rule", "everywhere", "-o", "yaml"]),
    await runs(["get", "rules", "-o", "json"]),
    await runs(["describe", "rule", "asks"]),
    await runs(["history", "rule", "hot", "1", "-o", "yaml"]),
    await answer("/api/v1/tenants/default/rules"),
    await answer("/api/v1/tenants/default/rules/hot"),
  ];
  for (const [i, text] of outputs.entries()) assert.match(text, /\*{8}/, `output ${i}: ${text}`);
  await run(["why", "rule", "asks"]);
  said.push(["console", await (await fetch(cloud.localAddress)).text()]);
  const wrong = await run(["apply", "-f", "-"], ruleDocument(password).replace("key: k,", "colour: red,"));
  assert.notEqual(wrong.code, 0);
  // As it was shown it is applied: the secrets stay.
  assert.match(await runs(["apply", "-f", "-"], outputs[0]), /unchanged/);
  await goesThroughRule(2, password);
  assertNowhere();
});

test("what is shown of it everywhere is a mark", needed, async () => {
  const outputs = [
    await runs(["get", "connection", "hall-broker", "-o", "yaml"]),
    await runs(["get", "connections", "-o", "json"]),
    await runs(["get", "device", "own-line", "-o", "yaml"]),
    await runs(["describe", "connection", "hall-broker"]),
    await runs(["describe", "device", "own-line"]),
    await runs(["history", "connection", "hall-broker", "1", "-o", "yaml"]),
    await runs(["export", "devices", "-o", "csv", "--what", "devices"]),
    await runs(["export", "device", "own-line", "--kubeedge"]),
    await answer("/api/v1/tenants/default/connections/hall-broker"),
    await answer("/api/v1/tenants/default/devices"),
    await answer("/api/v1/tenants/default/devices/own-line/effective"),
  ];
  for (const [i, text] of outputs.entries()) assert.match(text, /\*{8}/, `output ${i}: ${text}`);
  await run(["export", "devices", "--to", join(bench.folder, "devices.xlsx")]);
  const sheets = Object.values(unzipSync(readFileSync(join(bench.folder, "devices.xlsx"))));
  for (const bytes of sheets) said.push(["devices.xlsx", Buffer.from(bytes).toString("utf8")]);
  assert.ok(sheets.some((bytes) => Buffer.from(bytes).includes("********")));

  const token = readFileSync(join(edge.folder, "local-api/token"), "utf8").trim();
  for (const path of ["/api/v1/status", "/api/v1/devices", "/api/v1/devices/press-3/twin"]) {
    await answer(path, edge.localAddress, token);
  }
  await answer("/api/v1/tenants/default/changes");
  await run(["doctor", "--data-dir", bench.folder]);
  // What is refused is told by field and rule.
  const wrong = await run(
    ["apply", "-f", "-"],
    documents(password).replace("user: press, password", "colour: 1, password"),
  );
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr + wrong.stdout, /colour/);
  assertNowhere();
});

test("what was exported is edited and applied, and the device's password stays", needed, async () => {
  const exported = await runs(["get", "connection", "hall-broker", "-o", "yaml"]);
  assert.match(exported, /password: ["']?\*{8}/);
  const same = await runs(["apply", "-f", "-"], exported);
  assert.match(same, /unchanged/);
  await runs(["apply", "-f", "-"], exported.replace("user: press", "user: press\n    keepAlive: 30"));
  await comesThrough(21.5, password);
  const foreign = await run(["apply", "-f", "-"], exported.replace("name: hall-broker", "name: other-broker"));
  assert.notEqual(foreign.code, 0);
  assert.match(foreign.stderr + foreign.stdout, /settings\.password.*\*{8}.*stands for a stored secret/s);
  assertNowhere();
});

test("a new password is a change that the history tells, without either of the two", needed, async () => {
  setPassword(second);
  await broker.kill();
  await broker.restart();
  await eventually("the gateway to be refused", async () => (await temperature()) === "mapper/access-denied", 60_000);
  await runs(["apply", "-f", "-"], documents(second));
  await comesThrough(22.5, second);
  const diff = await runs(["diff", "connection", "hall-broker"]);
  assert.match(diff, /settings\.password/);
  assertNowhere();
});

test("after a restart of cloud and gateway the device accepts it still, and nothing has it", needed, async () => {
  const port = new URL(cloud.address).port;
  const localPort = new URL(cloud.localAddress).port;
  await edge.process.kill();
  await cloud.process.kill();
  await broker.kill();
  await broker.restart();
  // The gateway first: it starts from what it has on its own disk.
  edge = await bench.startAgent("gw-01", { args: ["--log-level", "trace"], logPath: join(bench.folder, "edge.log") });
  await bench.startCloudAgain(cloud, { port, localPort });
  await comesThrough(23.5, second);
  assertNowhere();
});

test("keys are for their owner alone, and without its key a program says so and does not start", needed, async () => {
  for (const folder of [cloud.folder, edge.folder]) {
    assert.equal(statSync(join(folder, "secret.key")).mode & 0o777, 0o600);
  }
  await edge.process.kill();
  const start = () => bench.run(["edge", "--data-dir", edge.folder, "--mqtt-port", "0", "-o", "json"]);
  const key = join(edge.folder, "secret.key");
  chmodSync(key, 0o644);
  const exposed = await start();
  assert.equal(exposed.code, 8);
  assert.match(exposed.stdout + exposed.stderr, /others can read it \(mode 0644\)/);
  chmodSync(key, 0o600);
  renameSync(key, `${key}.away`);
  const lost = await start();
  assert.equal(lost.code, 8);
  assert.match(lost.stdout + lost.stderr, /they need key [0-9a-f]{8}, there is none/);
  renameSync(`${key}.away`, key);
  edge = await bench.startAgent("gw-01");
  await comesThrough(24.5, second);

  // A key that is lost for good, as the guide says it.
  await edge.process.kill();
  for (const name of ["secret.key", "secret.ids", "resources"]) rmSync(join(edge.folder, name), { recursive: true });
  edge = await bench.startAgent("gw-01");
  await comesThrough(25.5, second);
  assertNowhere();
});
