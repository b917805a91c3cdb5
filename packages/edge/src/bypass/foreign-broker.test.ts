import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { defaultMqtt, effectiveMqtt } from "@penstock/model";
import { freePort, needs } from "@penstock/testkit";
import { decodeSparkplug } from "@penstock/wire";
import { connectAsync, type MqttClient } from "mqtt";
import { Mosquitto } from "../../../mappers/mqtt/test/mosquitto.ts";
import { counted, cycle, open, siteOf } from "./bypass-fixture.ts";

const needed = needs("mosquitto");

async function stage(t: TestContext) {
  const mosquitto = await Mosquitto.start();
  t.after(() => mosquitto.close());
  const broker = { url: mosquitto.url, user: null, password: null };
  return { mosquitto, broker, read: () => reader(t, mosquitto.url) };
}
/** Messages of a client, in order. */
async function reader(t: TestContext, url: string) {
  const made: MqttClient = await connectAsync(url, { reconnectPeriod: 50 });
  t.after(() => made.end(true));
  const all: { topic: string; payload: Buffer }[] = [];
  let look = () => {};
  made.on("message", (topic, payload) => {
    all.push({ topic, payload });
    look();
  });
  await made.subscribeAsync("#", { qos: 1 });
  return {
    until: (isEnough: (got: typeof all) => boolean): Promise<typeof all> =>
      new Promise((resolve) => {
        look = () => isEnough(all) && resolve(all);
        look();
      }),
    subscribed: () => made,
  };
}
async function connection(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
const kinds = (all: readonly { topic: string }[]) => all.map(({ topic }) => topic.split("/")[2]);

test("another broker gets what the embedded one would, and its births, will and death", needed, async (t) => {
  const { broker, read } = await stage(t);
  const seen = await read();
  const mqtt = { ...effectiveMqtt({ formats: ["flat", "sparkplug"] }), broker };
  const { bypass } = await open(t, { mqtt });
  assert.equal(bypass.address.port, Number(new URL(broker.url).port));
  await seen.until((all) => kinds(all).includes("DBIRTH"));
  await bypass.consumer.take(cycle(1));
  const all = await seen.until((got) => kinds(got).includes("DDATA"));
  assert.deepEqual(
    all.map(({ topic }) => topic),
    [
      "spBv1.0/acme/NBIRTH/gw-01",
      "spBv1.0/acme/DBIRTH/gw-01/press-3",
      "penstock/acme/press-3/data",
      "plant/press-3/pressure",
      "spBv1.0/acme/DDATA/gw-01/press-3",
    ],
  );
  await bypass.close();
  const dead = await seen.until((got) => kinds(got).includes("NDEATH"));
  const numberOf = (kind: string) =>
    decodeSparkplug(dead.find(({ topic }) => topic.includes(kind))!.payload).metrics[0]?.raw;
  assert.deepEqual(numberOf("NDEATH"), numberOf("NBIRTH"));
});

test("while it is away messages wait, the oldest go, and it is born anew when it is back", needed, async (t) => {
  const { mosquitto, broker, read } = await stage(t);
  const mqtt = { ...effectiveMqtt({ formats: ["flat", "sparkplug"] }), broker };
  const before = await read();
  const { bypass, metrics } = await open(t, { mqtt, limits: { queuedMessages: 6 } });
  const connected = () => metrics.gauge("penstock_bypass_broker_connected", "").value;
  await connection(() => connected() === 1);
  await bypass.consumer.take(cycle(0));
  await before.until((all) => kinds(all).includes("DDATA"));
  await mosquitto.kill();
  await connection(() => connected() === 0);
  for (let at = 1; at <= 10; at++) await bypass.consumer.take(cycle(at));
  // Ten cycles have twenty messages that may wait, and ten of Sparkplug that are of no use later.
  assert.equal(counted(metrics, "dropped", "away"), 14 + 10);
  const heard = (await before.until(() => true)).length;
  await mosquitto.restart();
  // The reader comes back sooner than the gateway does.
  const all = await before.until((got) => got.length >= heard + 2 + 6);
  const news = all.slice(heard).map(({ topic }) => topic);
  assert.deepEqual(news.slice(0, 2), ["spBv1.0/acme/NBIRTH/gw-01", "spBv1.0/acme/DBIRTH/gw-01/press-3"]);
  const cycleTopics = ["penstock/acme/press-3/data", "plant/press-3/pressure"];
  assert.deepEqual(news.slice(2), [...cycleTopics, ...cycleTopics, ...cycleTopics]);
  assert.match(all[heard + 2]!.payload.toString(), /"pressure":8,/);
  const bdSeqOf = (index: number) => decodeSparkplug(all[index]!.payload).metrics[0]?.raw?.value;
  assert.deepEqual([bdSeqOf(0), bdSeqOf(heard)], [0n, 1n]);
  await bypass.consumer.take(cycle(11));
  const last = (await before.until((got) => got.length >= heard + 11)).at(-1)!;
  assert.deepEqual([kinds([last])[0], decodeSparkplug(last.payload).seq], ["DDATA", 2n]);
});

test(
  "the node's settings change the broker while it runs; a broker that is not there holds nothing up",
  needed,
  async (t) => {
    const { broker, read } = await stage(t);
    const nowhere = { url: `mqtt://127.0.0.1:${await freePort()}`, user: null, password: null };
    const { bypass } = await open(t, { mqtt: { ...defaultMqtt, broker: nowhere } });
    await bypass.consumer.take(cycle(1));
    const seen = await read();
    await bypass.apply(siteOf({ ...defaultMqtt, broker }));
    await bypass.consumer.take(cycle(2));
    const all = await seen.until((got) => got.length >= 2);
    assert.match(all[0]!.payload.toString(), /"pressure":2/);
    await bypass.apply(siteOf(defaultMqtt));
    const own = await reader(t, `mqtt://127.0.0.1:${bypass.address.port}`);
    await bypass.consumer.take(cycle(3));
    assert.match((await own.until((got) => got.length >= 2))[0]!.payload.toString(), /"pressure":3/);
  },
);
