import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultMqtt, effectiveMqtt, type LocalWrite } from "@penstock/model";
import { decodeSparkplug, encodeSparkplug } from "@penstock/wire";
import type { MqttClient } from "mqtt";
import { client, counted, cycle, messages, open, press, siteOf } from "./bypass-fixture.ts";

const password = "river-stone-7";
const host = { password, publish: ["spBv1.0/acme/#"] };
const asHost = { username: "host", password };
const sparkplug = effectiveMqtt({ formats: ["sparkplug"], users: { host } });

/** Every message that comes, and what waits for so many. */
function heard(from: MqttClient) {
  const all: { topic: string; payload: Buffer }[] = [];
  from.on("message", (topic, payload) => all.push({ topic, payload }));
  const until = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      const look = () => all.length >= count && resolve(all.map(({ topic }) => topic));
      from.on("message", look);
      look();
    });
  return { all, until };
}

test("formats: tags in a list of tags, and of the others only those that are wanted", async (t) => {
  const units = {
    ...press,
    properties: press.properties.map((one) => ({ ...one, unit: one.type === "float32" ? "bar" : null, publish: null })),
  };
  const { bypass, port } = await open(t, { mqtt: effectiveMqtt({ formats: ["tags"] }), devices: [units] });
  const reader = await client(t, port);
  await reader.subscribeAsync(["#", "$ke/#"]);
  const { until, all } = heard(reader);
  await bypass.consumer.take(cycle(7));
  await bypass.publish({ topic: "end", payload: Buffer.from("x"), qos: 0, retain: false });
  assert.deepEqual(await until(2), ["penstock/acme/press-3/tags", "end"]);
  assert.deepEqual(JSON.parse(all[0]!.payload.toString()), [
    { name: "pressure", value: 7, timestamp: "2027-01-15T08:00:00.000000Z", quality: "good", unit: "bar" },
    { name: "recipe", value: "bottle", timestamp: "2027-01-15T08:00:00.000000Z", quality: "good" },
  ]);
});

test("retain: who comes late has the last message of each topic at once, until nothing is published there", async (t) => {
  const retain = { ...defaultMqtt, retain: true };
  const { bypass, port } = await open(t, { mqtt: retain });
  await bypass.consumer.take(cycle(1));
  await bypass.consumer.take(cycle(2));
  const late = await client(t, port);
  const seen = messages(late, 3);
  await late.subscribeAsync(["#", "$ke/#"]);
  const last = await seen;
  assert.deepEqual([...last.keys()].sort(), [
    "$ke/events/device/acme/press-3/data/update",
    "penstock/acme/press-3/data",
    "plant/press-3/pressure",
  ]);
  assert.match(last.get("plant/press-3/pressure")!, /"pressure":2/);
  // The device goes.
  await bypass.apply(siteOf(retain, []));
  const later = await client(t, port);
  const { until } = heard(later);
  await later.subscribeAsync(["#", "$ke/#"]);
  await bypass.publish({ topic: "end", payload: Buffer.from("x"), qos: 0, retain: false });
  assert.deepEqual(await until(1), ["end"]);
});

test("Sparkplug at the embedded broker: births kept for who comes late, data, a rebirth when asked, death at the end", async (t) => {
  const { bypass, port } = await open(t, { mqtt: sparkplug });
  const made = await client(t, port, asHost);
  await made.subscribeAsync(["$sparkplug/#"]);
  const { all, until } = heard(made);
  const certificates = ["NBIRTH/gw-01", "DBIRTH/gw-01/press-3"].map(
    (end) => `$sparkplug/certificates/spBv1.0/acme/${end}`,
  );
  assert.deepEqual((await until(2)).sort(), certificates.toSorted());
  await made.subscribeAsync(["spBv1.0/#"]);
  await bypass.consumer.take(cycle(1));
  assert.equal((await until(3))[2], "spBv1.0/acme/DDATA/gw-01/press-3");
  const seqOf = (kind: string) => decodeSparkplug(all.find(({ topic }) => topic.includes(kind))!.payload).seq;
  assert.deepEqual(["NBIRTH", "DBIRTH", "DDATA"].map(seqOf), [0n, 1n, 2n]);
  const metric = {
    name: "Node Control/Rebirth",
    alias: null,
    timestamp: 1,
    type: "bool",
    value: true,
    quality: null,
    unit: null,
  } as const;
  const ask = encodeSparkplug({ timestamp: 1, seq: null, metrics: [metric] });
  for (let at = 0; at < 5; at++) await made.publishAsync("spBv1.0/acme/NCMD/gw-01", Buffer.from(ask), { qos: 1 });
  // Five commands, which it hears itself, and one birth of everything with its certificates.
  const topics = (await until(3 + 5 + 4)).slice(3).filter((topic) => topic.includes("BIRTH"));
  assert.deepEqual(topics.sort(), [
    ...certificates.toSorted(),
    "spBv1.0/acme/DBIRTH/gw-01/press-3",
    "spBv1.0/acme/NBIRTH/gw-01",
  ]);
  const end = until(3 + 5 + 4 + 1);
  await bypass.close();
  assert.equal((await end).at(-1), "spBv1.0/acme/NDEATH/gw-01");
});

test("Sparkplug begins and ends with the node's settings while other clients stay, and nobody without a right asks", async (t) => {
  const { bypass, port, metrics } = await open(t, { mqtt: { ...sparkplug, formats: [] } });
  const made = await client(t, port, asHost);
  await made.subscribeAsync(["spBv1.0/#"]);
  const { until } = heard(made);
  await bypass.apply(siteOf(sparkplug));
  await bypass.apply(siteOf({ ...sparkplug, formats: ["flat"] }));
  assert.deepEqual(
    await until(3),
    ["NBIRTH/gw-01", "DBIRTH/gw-01/press-3", "NDEATH/gw-01"].map((end) => `spBv1.0/acme/${end}`),
  );
  const unnamed = await client(t, port);
  await assert.rejects(unnamed.publishAsync("spBv1.0/acme/NCMD/gw-01", "x", { qos: 1 }), /Not authorized/);
  assert.equal(counted(metrics, "refused", "publish"), 1);
});

for (const writes of [true, false]) {
  test(`a Sparkplug host ${writes ? "sets what localWrites lets it" : "sets nothing unless the node says so"}`, async (t) => {
    const taken: LocalWrite[] = [];
    const twin = { setLocally: async (write: LocalWrite) => taken.push(write) as never };
    const [pressure, recipe] = press.properties;
    const properties = [
      { ...pressure!, access: "readWrite", localWrites: "yield", minimum: "0", maximum: "10" } as const,
      { ...recipe!, access: "readWrite" } as const,
    ];
    const mqtt = { ...sparkplug, sparkplug: { group: null, writes } };
    const { port, metrics } = await open(t, { mqtt, twin, devices: [{ ...press, properties }] });
    const made = await client(t, port, asHost);
    const metric = { alias: null, timestamp: 1, quality: null, unit: null };
    const metrics_ = [
      { ...metric, name: "pressure", type: "float32", value: 5 } as const,
      { ...metric, name: "pressure", type: "float32", value: 11 } as const,
      { ...metric, name: "recipe", type: "string", value: "jar" } as const,
    ];
    const payload = Buffer.from(encodeSparkplug({ timestamp: 1, seq: null, metrics: metrics_ }));
    await made.publishAsync("spBv1.0/acme/DCMD/gw-01/press-3", payload, { qos: 1 });
    // The answer says that the broker has it; what comes after it finds it done.
    await made.publishAsync("spBv1.0/acme/DCMD/gw-01/none", payload, { qos: 1 });
    await made.subscribeAsync("end");
    assert.deepEqual(
      taken.map(({ property, value }) => [property, value]),
      writes ? [["pressure", 5]] : [],
    );
    assert.equal(counted(metrics, "refused", "command"), writes ? 3 : 4);
  });
}
