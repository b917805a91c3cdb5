// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, needs } from "@penstock/testkit";
import mqtt, { type MqttClient } from "mqtt";
import { outputOf, takeAll, testParts } from "../delivery/delivery-fixture.ts";
import { startProgram, testFolder } from "../delivery/fake-server.ts";
import { openMqttElsewhere } from "./mqtt-broker-sink.ts";

const once = (client: MqttClient, event: "connect" | "message") =>
  new Promise<void>((resolve) => client.once(event, () => resolve()));

async function mosquitto(port: number) {
  const folder = testFolder();
  writeFileSync(join(folder, "conf"), `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const command = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
  return await startProgram({ command, args: ["-c", "conf", "-v"], folder, port, ready: /running/ });
}

test("messages go to a broker elsewhere, and after its outage in their order", needs("mosquitto"), async () => {
  const port = await freePort();
  let server = await mosquitto(port);
  const url = `mqtt://127.0.0.1:${port}`;
  const { parts, counted } = testParts();
  const sink = openMqttElsewhere(
    { topic: "plant/${device}", retain: true, broker: { url }, cache: {}, retry: { first: "10ms", longest: "50ms" } },
    parts,
  );
  const heard: string[] = [];
  const listen = async () => {
    const client = mqtt.connect(url, { reconnectPeriod: 0 });
    client.on("message", (topic, payload) => heard.push(`${topic} ${payload}`));
    await once(client, "connect");
    await client.subscribeAsync("plant/#", { qos: 1 });
    return client;
  };
  try {
    const before = await listen();
    await sink.take(outputOf({ device: "a", n: 1n }, { device: "wild/#", n: 0n }));
    assert.equal(counted("given_up_rows"), 1);
    await sink.take(outputOf({ device: "b", n: 2n }));
    while (heard.length < 2) await once(before, "message");
    assert.deepEqual(heard.splice(0), ['plant/a {"device":"a","n":1}', 'plant/b {"device":"b","n":2}']);
    before.end(true);
    await server.close();
    await takeAll(sink, [outputOf({ device: "a", n: 3n }), outputOf({ device: "c", n: 4n })]);
    server = await mosquitto(port);
    const after = await listen();
    while (heard.length < 2) await once(after, "message");
    assert.deepEqual(heard, ['plant/a {"device":"a","n":3}', 'plant/c {"device":"c","n":4}']);
    after.end(true);
  } finally {
    await sink.close();
    await server.close();
  }
});
