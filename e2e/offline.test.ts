import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { needs, plantDevices } from "@penstock/testkit";
import { eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

test(
  "with the cloud switched off the gateway starts from disk, a foreign MQTT client gets values, and later the cloud has all",
  needs("mosquitto-clients"),
  async () => {
    const plant = await bench.startPlant();
    const cloud = await bench.startCloud();
    const port = new URL(cloud.address).port;
    const local = new URL(cloud.localAddress).port;
    const edge = await bench.startEdge(cloud, "gw-01");
    const documents = plantDevices({ host: plant.host, port: plant.port, node: "gw-01" });
    const applied = await bench.run(["apply", "-f", "-"], {
      input: documents.map((document) => JSON.stringify(document)).join("\n---\n"),
    });
    assert.equal(applied.code, 0, applied.stderr);
    await eventually("a first value in the cloud", async () => {
      const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "tank-01" } });
      return properties.some((p) => p.reported !== null);
    });

    await edge.process.kill();
    await cloud.process.kill();
    const alone = await bench.startAgent("gw-01");
    const mqtt = new URL(alone.mqttAddress);
    const seen: { topic: string; payload: string }[] = [];
    const subscriber = spawn("mosquitto_sub", [
      "-h",
      mqtt.hostname,
      "-p",
      mqtt.port,
      "-v",
      "-t",
      "$ke/events/device/#",
      "-t",
      "penstock/#",
    ]);
    createInterface({ input: subscriber.stdout }).on("line", (line) => {
      const space = line.indexOf(" ");
      seen.push({ topic: line.slice(0, space), payload: line.slice(space + 1) });
    });
    try {
      const kube = await eventually("the bypass message in KubeEdge's form", () =>
        seen.find(
          (m) => m.topic === "$ke/events/device/default/tank-01/data/update" && "level" in JSON.parse(m.payload).data,
        ),
      );
      const { event_id, timestamp, data } = JSON.parse(kube.payload);
      assert.equal(typeof event_id, "string");
      assert.equal(typeof timestamp, "number");
      assert.equal(typeof data.level.value, "string", "values are strings there");
      const flat = await eventually("the flat typed message", () =>
        seen.find((m) => m.topic === "penstock/default/tank-01/data" && "level" in JSON.parse(m.payload).values),
      );
      assert.equal(typeof JSON.parse(flat.payload).values.level, "number");
    } finally {
      subscriber.kill();
    }

    // What was read while the cloud was away arrives once it is back, under its own source time.
    const aloneSince = JSON.parse(seen[0]!.payload).time ?? new Date().toISOString();
    await bench.startCloudAgain(cloud, { port, localPort: local });
    const from = new Date(Date.parse(aloneSince) - 1000).toISOString();
    await eventually("the readings of the lonely time", async () => {
      const { points } = await cloud.client.series.query({
        params: { tenant: "default", device: "tank-01", property: "level" },
        query: { from, to: "now" },
      });
      return points.length >= 2 && points.every((p) => p.quality === "good");
    });
  },
);
