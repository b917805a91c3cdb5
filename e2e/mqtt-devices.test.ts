import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { needs } from "@penstock/testkit";
import { Mosquitto } from "../packages/mappers/mqtt/test/mosquitto.ts";
import { type CloudProcess, eventually, root, TestBench } from "./support/penstock.ts";

const needed = needs("mosquitto", "mosquitto-clients");
const bench = new TestBench();
let cloud: CloudProcess;
let broker: Mosquitto;
before(async () => {
  if (needed.skip !== undefined) return;
  broker = await Mosquitto.start();
  cloud = await bench.startCloud();
  await bench.startEdge(cloud, "gw-01");
});
after(async () => {
  await bench.close();
  await broker?.close();
});

async function reported(device: string, property: string) {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device } });
  return properties.find((each) => each.property === property)?.reported ?? null;
}
const state = (temperature: number, strokes: string, at: string) =>
  `{"temperature": ${temperature}, "counters": {"strokes": ${strokes}}, "at": "${at}"}`;

test("a value told by a foreign client is in the cloud, and a set value reaches a foreign client", needed, async () => {
  const example = readFileSync(join(root, "examples/mqtt-devices.yaml"), "utf8");
  const here = example.replaceAll("10.0.4.30:1883", `127.0.0.1:${broker.port}`);
  const applied = await bench.run(["apply", "-f", "-"], { input: here });
  assert.equal(applied.code, 0, applied.stderr);
  // The broker keeps it for whoever subscribes later: it may be told before the gateway listens.
  const now = new Date(Date.now() - 5000).toISOString();
  await broker.publish("plant/press-3/state", state(20.5, "9007199254740993", now), ["-r"]);
  await eventually("the temperature", async () => (await reported("press-3", "temperature"))?.value === 20.5);
  const strokes = await reported("press-3", "strokes");
  assert.deepEqual([strokes?.value, Date.parse(strokes!.time)], ["9007199254740993", Date.parse(now)]);

  // Ten changes faster than anything polls.
  const from = Date.now();
  for (let i = 1; i <= 10; i++) {
    await broker.publish("plant/press-3/state", state(100 + i, "1", new Date(from + i).toISOString()));
  }
  await eventually("the last change", async () => (await reported("press-3", "temperature"))?.value === 110);
  const { points } = await cloud.client.series.query({
    params: { tenant: "default", device: "press-3", property: "temperature" },
    query: { from: new Date(from).toISOString(), points: 100 },
  });
  assert.deepEqual(
    points.map(({ value }) => value),
    [101, 102, 103, 104, 105, 106, 107, 108, 109, 110],
  );

  const device = await broker.device({ topic: "plant/press-3/setpoint/set" });
  const set = bench.run(["set", "press-3", "setpoint", "85.5"]);
  await device.heard(/\{"setpoint": 85\.5\}/);
  await broker.publish("plant/press-3/setpoint", '{"setpoint": 85.5}');
  const { code, stdout, stderr } = await set;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /confirmed/);
});

test("a device that is killed is offline at once, and online with its next message", needed, async () => {
  const will = [
    "--will-topic",
    "plant/press-3/online",
    "--will-payload",
    "offline",
    "--will-qos",
    "1",
    "--will-retain",
  ];
  const device = await broker.device({ topic: "nothing", will });
  const stateOf = async () => {
    const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "press-3" } });
    return properties.map(({ reported: value }) => value?.reason ?? null);
  };
  await device.die();
  await eventually("all of it to be bad", async () =>
    (await stateOf()).every((reason) => reason === "mapper/device-offline"),
  );
  await broker.publish("plant/press-3/online", "online", ["-r"]);
  await broker.publish("plant/press-3/state", state(55, "2", new Date().toISOString()));
  await eventually("the temperature", async () => (await reported("press-3", "temperature"))?.value === 55);
});

test("a broker that is killed is found again, and every value from then on", needed, async () => {
  await broker.kill();
  await eventually(
    "the loss to be told",
    async () => (await reported("press-3", "temperature"))?.reason === "mapper/connection-lost",
  );
  await broker.restart();
  await broker.publish("plant/press-3/state", state(60, "3", new Date().toISOString()), ["-r"]);
  await eventually("the value", async () => (await reported("press-3", "temperature"))?.value === 60, 60_000);
});
