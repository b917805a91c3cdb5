import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

let cloud: CloudProcess;
let edge: EdgeProcess;
before(async () => {
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01");
  const property = (localWrites: string) => ({
    ...{ type: "float64", access: "readWrite", localWrites, maximum: 100, collect: { every: "200ms" } },
  });
  const oven = {
    ...{ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "oven" } },
    spec: {
      ...{ node: "gw-01", connection: { protocol: "virtual" } },
      properties: { speed: property("hold"), power: property("yield"), limit: property("refuse") },
    },
  };
  const applied = await bench.run(["apply", "-f", "-"], { input: JSON.stringify(oven) });
  assert.equal(applied.code, 0, applied.stderr);
  await eventually("readings", async () => (await inCloud("limit")).reported !== null);
});

async function inCloud(property: string) {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "oven" } });
  return properties.find((one) => one.property === property)!;
}

/** At the gateway itself, as somebody without a login there types it. */
function here(...args: string[]) {
  const [command, ...rest] = args;
  const env = { PENSTOCK_SERVER: "http://127.0.0.1:1", PENSTOCK_TOKEN: "none" };
  return bench.run(["edge", command!, ...rest, "--data-dir", edge.folder], { env });
}

test("hold: a value set at the gateway keeps the cloud's waiting, with its holder named, until it is released", async () => {
  const set = await here("set", "oven", "speed", "40", "--holder", "shift 2");
  assert.equal(set.code, 0, set.stderr);
  assert.match(set.stdout, /^oven\.speed = 40 confirmed, read back 40; shift 2 holds it until it is released$/m);
  const held = await eventually("the hold in the cloud", async () => (await inCloud("speed")).hold);
  assert.deepEqual([held.holder, held.value, held.until], ["shift 2", 40, null]);

  const wanted = await bench.run(["set", "oven", "speed", "60", "--no-wait", "--ttl", "10m"]);
  assert.equal(wanted.code, 0, wanted.stderr);
  const waiting = await eventually("the value to wait at the gateway", async () => {
    const { desired } = await inCloud("speed");
    return desired?.state === "sent" ? desired : null;
  });
  assert.equal(waiting.reason, "twin/held");
  assert.match(waiting.message ?? "", /^shift 2 holds the property since .*; the value waits until /);
  const described = await bench.run(["describe", "device", "oven"]);
  assert.match(described.stdout, /^speed +60 +sent +admin .*shift 2: 40 +released +twin\/held: shift 2 holds/m);
  assert.equal((await inCloud("speed")).reported?.value, 40, "the machine has what the holder wants");

  const released = await here("release", "oven", "speed");
  assert.match(released.stdout, /oven\.speed is released; version 1 of the cloud goes on/);
  await eventually(
    "the cloud's value to be confirmed",
    async () => (await inCloud("speed")).desired?.state === "confirmed",
  );
  await eventually("the machine to show it", async () => (await inCloud("speed")).reported?.value === 60);
  await eventually("the hold to be gone in the cloud", async () => (await inCloud("speed")).hold === null);
  assert.match((await here("release", "oven", "speed")).stdout, /Nobody held oven\.speed/);
});

test("hold: a value that waits too long expires, and the reason names the holder; the hold ends by itself", async () => {
  assert.equal((await here("set", "oven", "speed", "41", "--holder", "panel", "--hold", "4s")).code, 0);
  const late = await bench.run(["set", "oven", "speed", "61", "--ttl", "1s"]);
  assert.equal(late.code, 7);
  assert.match(late.stderr, /panel holds/);
  assert.match(late.stderr, /Code: twin\/expired/);
  await eventually("the hold to end", async () => (await inCloud("speed")).hold === null);
  assert.equal((await inCloud("speed")).reported?.value, 41, "nobody wants another value now");
});

test("hold: survives a gateway that is killed, with the value that waits, and needs no cloud", async () => {
  assert.equal((await here("set", "oven", "speed", "42", "--holder", "panel")).code, 0);
  await bench.run(["set", "oven", "speed", "62", "--no-wait", "--ttl", "10m"]);
  await eventually("the value at the gateway", async () => (await inCloud("speed")).desired?.state === "sent");
  await edge.process.kill();
  const gone = await here("status");
  assert.equal(gone.code, 7, "its address is still there, and is not believed");
  assert.match(gone.stderr, /The gateway on ".*" has ended: start it with/);
  edge = await bench.startAgent("gw-01", { args: ["--cloud", "https://127.0.0.1:1"] });
  const twin = await eventually("the gateway's own view", async () => {
    const { properties } = await bench.json<{ properties: LocalProperty[] }>([
      "edge",
      "twin",
      "oven",
      "--data-dir",
      edge.folder,
    ]);
    const speed = properties.find(({ property }) => property === "speed")!;
    return speed.local?.state === "confirmed" ? speed : null;
  });
  assert.deepEqual([twin.hold?.holder, twin.desired?.state, twin.desired?.reason], ["panel", "pending", "twin/held"]);
  const status = await here("status");
  assert.match(status.stdout, /^oven\.speed +42 +panel /m);
  assert.equal((await here("release", "oven", "speed")).code, 0);
  await eventually("the value to be written without a cloud", async () => {
    const { stdout } = await here("twin", "oven");
    return /^speed +62 +good .* 62 \(confirmed\)/m.test(stdout);
  });
  await edge.process.kill();
  edge = await bench.startAgent("gw-01");
  await eventually("the cloud to hear of it", async () => (await inCloud("speed")).desired?.state === "confirmed");
  await eventually("no hold in the cloud", async () => (await inCloud("speed")).hold === null);
});

test("yield: a value set at the gateway is written and holds nothing; the next of the cloud replaces it", async () => {
  const set = await here("set", "oven", "power", "10");
  assert.match(set.stdout, /^oven\.power = 10 confirmed, read back 10$/m);
  await eventually("the cloud to see it", async () => (await inCloud("power")).reported?.value === 10);
  const { desired, hold } = await inCloud("power");
  assert.deepEqual([desired, hold], [null, null]);
  assert.equal((await bench.run(["set", "oven", "power", "20"])).code, 0);
  assert.equal((await here("set", "oven", "power", "30", "--hold", "1m")).code, 2);
  assert.equal((await here("set", "oven", "power", "30")).code, 0, "what the cloud wanted has ended, so it is free");
});

test("refuse: nothing is set at the gateway, and every no says field, value and rule", async () => {
  const refused = await here("set", "oven", "limit", "5");
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /limit: 5: its localWrites is refuse: it is set in the cloud only\nCode: twin\/read-only/,
  );
  const wrong = await here("set", "oven", "speed", "101");
  assert.match(wrong.stderr, /oven\.speed: "101": must be at most 100\nCode: twin\/out-of-range/);
  const unknown = await here("set", "oven", "sped", "1");
  assert.deepEqual([unknown.code, /it has .*speed/.test(unknown.stderr)], [3, true]);
  assert.equal((await here("twin", "over")).code, 3);
});

// Commander gives -o to the command above, which has one too: these printed text where JSON was asked for.
test("commands below edge print JSON where they are asked to", async () => {
  const { node } = await bench.json<{ node: string }>(["edge", "status", "--data-dir", edge.folder]);
  assert.equal(node, "gw-01");
  const { token } = await bench.json<{ token: string }>(["edge", "token", "gw-02"]);
  assert.ok(token.length > 20);
});

test("the local API takes its token and its own host name, and nothing else", async () => {
  const token = readFileSync(join(edge.folder, "local-api/token"), "utf8").trim();
  const ask = async (headers: Record<string, string>) =>
    (await fetch(`${edge.localAddress}/api/v1/status`, { headers })).status;
  assert.equal(await ask({ authorization: `Bearer ${token}` }), 200);
  assert.equal(await ask({}), 401);
  assert.equal(await ask({ authorization: `Bearer ${cloud.token}` }), 401);
  assert.equal(await ask({ authorization: `Bearer ${token}`, origin: "http://127.0.0.1:8080" }), 403);
});

interface LocalProperty {
  readonly property: string;
  readonly desired: { readonly state: string; readonly reason: string | null } | null;
  readonly local: { readonly state: string } | null;
  readonly hold: { readonly holder: string } | null;
}
