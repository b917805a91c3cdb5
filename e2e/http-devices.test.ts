import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CloudProcess, eventually, root, TestBench } from "./support/penstock.ts";

/** What examples/http-devices.yaml describes: an oven below /api, a relay that GET switches. */
const plant = { temperature: 180.5, open: false, setpoint: 180, ison: false, broken: false, asked: [] as string[] };
const server = createServer(async (request, response) => {
  plant.asked.push(`${request.method} ${request.url}`);
  const body = (await request.toArray()).join("");
  const url = new URL(request.url!, "http://x");
  response.setHeader("content-type", "application/json");
  if (plant.broken) return void response.writeHead(200, { "content-length": 500 }).end("<html>21.5");
  if (url.pathname === "/api/ovens/1/setpoint") plant.setpoint = JSON.parse(body).setpoint;
  if (url.pathname === "/relay/0") {
    if (url.searchParams.has("turn")) plant.ison = url.searchParams.get("turn") === "on";
    return void response.end(JSON.stringify({ ison: plant.ison }));
  }
  const { temperature, setpoint, open } = plant;
  response.end(JSON.stringify({ temperature, setpoint, doors: [{ open }] }));
});
const bench = new TestBench();
let cloud: CloudProcess;
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01");
});
after(async () => {
  await bench.close();
  server.closeAllConnections();
  server.close();
});

async function reported(device: string, property: string) {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device } });
  return properties.find((each) => each.property === property)?.reported ?? null;
}

test("values are read and set over HTTP, through the whole system, one request for all of one answer", async () => {
  const { port } = server.address() as { port: number };
  const example = readFileSync(join(root, "examples/http-devices.yaml"), "utf8");
  const here = example.replaceAll(/10\.0\.4\.4[01]/g, `127.0.0.1:${port}`);
  const applied = await bench.run(["apply", "-f", "-"], { input: here });
  assert.equal(applied.code, 0, applied.stderr);
  await eventually("the temperature", async () => (await reported("oven-1", "temperature"))?.value === 180.5);
  assert.equal((await reported("oven-1", "doorOpen"))?.value, false);

  const set = await bench.run(["set", "oven-1", "setpoint", "200.5"]);
  assert.equal(set.code, 0, set.stdout + set.stderr);
  assert.deepEqual([plant.setpoint, /confirmed/.test(set.stdout)], [200.5, true]);
  const turned = await bench.run(["set", "fan-1", "running", "true"]);
  assert.equal(turned.code, 0, turned.stdout + turned.stderr);
  assert.equal(plant.ison, true);

  plant.asked.length = 0;
  await eventually(
    "three more cycles",
    async () => plant.asked.filter((one) => one === "GET /api/ovens/1").length >= 3,
  );
  assert.ok(plant.asked.every((one) => one === "GET /api/ovens/1" || one === "GET /relay/0"));
});

test("a server that breaks its answers gives bad values with a reason, and is well again by itself", async () => {
  plant.broken = true;
  server.closeAllConnections();
  await eventually("a bad value", async () => (await reported("oven-1", "temperature"))?.quality === "bad");
  const { value, reason } = (await reported("oven-1", "temperature"))!;
  assert.ok(value === null && reason?.startsWith("mapper/"), reason ?? "no reason");
  plant.broken = false;
  plant.temperature = 190.25;
  await eventually("the temperature", async () => (await reported("oven-1", "temperature"))?.value === 190.25, 60_000);
});
