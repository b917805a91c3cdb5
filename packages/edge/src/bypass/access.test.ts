import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultMqtt, type EffectiveMqtt, effectiveMqtt } from "@penstock/model";
import { client, closing, counted, cycle, messages, open, siteOf } from "./bypass-fixture.ts";

const password = "river-stone-7";
const hmi = { password, publish: ["apps/%u/#"], subscribe: ["penstock/#", "apps/%u/#"] };
const closed: EffectiveMqtt = effectiveMqtt({ anonymous: "none", users: { hmi, other: { password: "lake-grass-9" } } });
const asHmi = { username: "hmi", password };

for (const protocolVersion of [4, 5] as const) {
  test(`a user comes in with its password alone, and does what it may (protocol level ${protocolVersion})`, async (t) => {
    const { bypass, metrics, port } = await open(t, { mqtt: closed });
    const wrong = [{}, { username: "hmi" }, { ...asHmi, password: "guess" }, { username: "who", password }];
    await Promise.all(
      wrong.map((login) =>
        assert.rejects(client(t, port, { protocolVersion, ...login }), /authorized|user ?name or password/i),
      ),
    );
    assert.equal(counted(metrics, "refused", "connect"), 4);
    const made = await client(t, port, { protocolVersion, ...asHmi });
    await made.subscribeAsync(["penstock/acme/+/data", "apps/hmi/#"]);
    await assert.rejects(made.subscribeAsync("#"), /Not authorized|Unspecified error/i);
    await assert.rejects(made.subscribeAsync("apps/+/x"), /Not authorized|Unspecified error/i);
    assert.equal(counted(metrics, "refused", "subscribe"), 2);
    const seen = messages(made, 2);
    await made.publishAsync("apps/hmi/set", "1", { qos: 1 });
    await bypass.consumer.take(cycle(1));
    assert.deepEqual([...(await seen).keys()].sort(), ["apps/hmi/set", "penstock/acme/press-3/data"]);
  });
}

// Who reads there believes that the gateway speaks.
test("no right with a wildcard lets a user speak for the gateway: MQTT 5 hears 0x87, 3.1.1 is disconnected", async (t) => {
  const mqtt = effectiveMqtt({ users: { all: { password, publish: ["#", "+/#"] } } });
  const { bypass, metrics, port } = await open(t, { mqtt });
  const login = { username: "all", password };
  const reader = await client(t, port);
  await reader.subscribeAsync(["penstock/#", "$ke/#", "spBv1.0/#"]);
  const first = new Promise((resolve) => reader.once("message", (topic) => resolve(topic)));
  const five = await client(t, port, login);
  for (const topic of [
    "penstock/acme/press-3/data",
    "$ke/events/device/acme/press-3/data/update",
    "spBv1.0/acme/NDATA/x",
  ]) {
    await assert.rejects(five.publishAsync(topic, "{}", { qos: 1 }), /Not authorized/);
  }
  const told = new Promise((resolve) => five.once("disconnect", ({ reasonCode }) => resolve(reasonCode)));
  await five.publishAsync("penstock/acme/press-3/data", "{}", { qos: 0 });
  assert.equal(await told, 0x87);
  const four = await client(t, port, { ...login, protocolVersion: 4 });
  const gone = closing(four);
  four.publish("penstock/x", "{}");
  await gone;
  assert.equal(counted(metrics, "refused", "publish"), 5);
  await bypass.consumer.take(cycle(1));
  assert.match(String(await first), /press-3\/data/);
});

test("a will is left where its user may publish, and nowhere else", async (t) => {
  const { port } = await open(t, { mqtt: closed });
  const will = (topic: string) => ({ topic, payload: Buffer.from("gone"), qos: 0 as const, retain: false });
  await assert.rejects(client(t, port, { ...asHmi, will: will("penstock/x") }), /Not authorized/);
  const reader = await client(t, port, asHmi);
  await reader.subscribeAsync("apps/hmi/#");
  const seen = messages(reader, 1);
  const dying = await client(t, port, { ...asHmi, will: will("apps/hmi/state") });
  dying.stream.destroy();
  assert.deepEqual(await seen, new Map([["apps/hmi/state", "gone"]]));
});

test("apply() puts out whose rights changed, and nobody else", async (t) => {
  const { bypass, port } = await open(t, { mqtt: closed });
  const stays = await client(t, port, { username: "other", password: "lake-grass-9" });
  const goes = await client(t, port, asHmi);
  const gone = closing(goes);
  const less = { ...hmi, subscribe: ["apps/hmi/#"] };
  await bypass.apply(
    siteOf(effectiveMqtt({ anonymous: "none", users: { hmi: less, other: { password: "lake-grass-9" } } })),
  );
  await gone;
  const again = await client(t, port, asHmi);
  await assert.rejects(again.subscribeAsync("penstock/#"), /Not authorized/);
  assert.equal(stays.connected, true);
  await bypass.apply(siteOf(defaultMqtt));
  const unnamed = await client(t, port);
  const out = closing(unnamed);
  await bypass.apply(siteOf({ ...defaultMqtt, anonymous: "none" }));
  await out;
});

test("messages that users leave for late subscribers are bounded, and an empty one makes room", async (t) => {
  const { metrics, port } = await open(t, { mqtt: closed, limits: { retainedTopics: 2 } });
  const made = await client(t, port, asHmi);
  const leave = (topic: string, text: string) => made.publishAsync(`apps/hmi/${topic}`, text, { qos: 1, retain: true });
  await leave("a", "1");
  await leave("b", "2");
  await assert.rejects(leave("c", "3"), /Not authorized/);
  assert.equal(counted(metrics, "refused", "retain"), 1);
  await leave("a", "");
  await leave("c", "3");
  const late = await client(t, port, asHmi);
  const seen = messages(late, 2);
  await late.subscribeAsync("apps/hmi/#");
  assert.deepEqual([...(await seen)].sort(), [
    ["apps/hmi/b", "2"],
    ["apps/hmi/c", "3"],
  ]);
});

// The gateway has one thread: what a client floods it with is time that collection does not have.
test("a flood of messages waits at its sender, and everybody else is served meanwhile", async (t) => {
  const limits = { packetsPerSecond: 200, packetsPerSecondInAll: 400 };
  const { bypass, metrics, port } = await open(t, { mqtt: closed, limits });
  const flooder = await client(t, port, { ...asHmi, protocolVersion: 4 });
  for (let at = 0; at < 20_000; at++) flooder.publish("apps/hmi/x", "y".repeat(100));
  const reader = await client(t, port, asHmi);
  await reader.subscribeAsync("penstock/#");
  let slowest = 0;
  for (let at = 0; at < 20; at++) {
    const seen = messages(reader, 1);
    const began = performance.now();
    await bypass.consumer.take(cycle(at));
    await seen;
    slowest = Math.max(slowest, performance.now() - began);
  }
  assert.ok(counted(metrics, "delayed", "input") > 0);
  // A cycle is a second.
  assert.ok(slowest < 500, `${slowest} ms`);
});
