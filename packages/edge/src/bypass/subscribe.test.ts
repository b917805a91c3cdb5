import assert from "node:assert/strict";
import { test } from "node:test";
import { type BrokerNews, defaultMqtt, effectiveMqtt } from "@penstock/model";
import { metricsRegistry, silentLog } from "@penstock/runtime";
import { needs, settle } from "@penstock/testkit";
import { connectAsync } from "mqtt";
import { Mosquitto } from "../../../mappers/mqtt/test/mosquitto.ts";
import { defaultBrokerLimits } from "./broker-limits.ts";
import { client, counted, cycle, messages, open, siteOf } from "./bypass-fixture.ts";
import { HeardMessages } from "./heard-messages.ts";

const password = "river-stone-7";
const login = { username: "app", password };
const withUser = effectiveMqtt({ users: { app: { password, publish: ["apps/#", "$ke/#"], subscribe: ["#"] } } });

/** A stage that listens: takes when it is told to. */
function stage() {
  const heard: string[] = [];
  const batches: number[] = [];
  let isHeld = false;
  let letGo = () => {};
  let look = () => {};
  return {
    ...{ heard, batches },
    hold() {
      isHeld = true;
    },
    letGo() {
      isHeld = false;
      letGo();
    },
    async take(news: readonly BrokerNews[]) {
      batches.push(news.length);
      for (const { topic, payload } of news) heard.push(`${topic} ${Buffer.from(payload)}`);
      look();
      if (isHeld) await new Promise<void>((resolve) => (letGo = resolve));
    },
    until: (count: number): Promise<string[]> =>
      new Promise((resolve) => {
        look = () => heard.length >= count && resolve(heard);
        look();
      }),
  };
}

test("a stage hears what anybody says, what was kept before it came, and nothing twice", async (t) => {
  const { bypass, port } = await open(t, { mqtt: withUser });
  const app = await client(t, port, login);
  await app.publishAsync("apps/kept", "0", { qos: 1, retain: true });
  const one = stage();
  const all = bypass.subscribe("#", one.take);
  assert.deepEqual(await one.until(1), ["apps/kept 0"]);
  for (const [i, qos] of ([0, 1, 2, 1] as const).entries()) await app.publishAsync("apps/x", `${i}`, { qos });
  // Not below a wildcard at the first level.
  await app.publishAsync("$ke/x", "ke", { qos: 1 });
  await bypass.publish({ topic: "rules/y", payload: Buffer.from("4"), qos: 1, retain: false });
  await bypass.consumer.take(cycle(1));
  const heard = await one.until(8);
  assert.deepEqual(heard.slice(1, 6), ["apps/x 0", "apps/x 1", "apps/x 2", "apps/x 3", "rules/y 4"]);
  assert.match(heard[6]!, /^penstock\/acme\/press-3\/data /);
  await all.close();
  await app.publishAsync("apps/x", "5", { qos: 1 });
  await settle();
  assert.equal(heard.length, 8);
});

// Many packets in one piece of the connection: the library asks for the next piece from within its parser.
test("what a client says at once is heard whole and in its order, large and small", async (t) => {
  const limits = { packetsPerSecond: 1e6, packetsPerSecondInAll: 1e6 };
  const { bypass, port } = await open(t, { mqtt: withUser, limits });
  const one = stage();
  bypass.subscribe("apps/#", one.take);
  const app = await client(t, port, login);
  const sent = Array.from({ length: 3000 }, (_, n) => `${n} `.padEnd(n % 500 === 0 ? 200_000 : 20 + (n % 90), "y"));
  for (const text of sent) app.publish("apps/x", text);
  const heard = await one.until(sent.length);
  assert.deepEqual(
    heard.map((text) => text.slice("apps/x ".length)),
    sent,
  );
  assert.equal(app.connected, true);
});

test("a publisher with QoS 1 hears that it arrived when the stage has taken it; applications do not wait for that", async (t) => {
  const { bypass, port } = await open(t, { mqtt: withUser });
  const one = stage();
  one.hold();
  bypass.subscribe("apps/x", one.take);
  const [app, reader] = [await client(t, port, login), await client(t, port, login)];
  await reader.subscribeAsync("apps/#", { qos: 1 });
  const seen = messages(reader, 1);
  let isAcknowledged = false;
  const sent = app.publishAsync("apps/x", "1", { qos: 1 }).then(() => {
    isAcknowledged = true;
  });
  await one.until(1);
  assert.deepEqual(await seen, new Map([["apps/x", "1"]]));
  await bypass.consumer.take(cycle(1));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isAcknowledged, false);
  one.letGo();
  await sent;
  // Neither again nor under another name.
  const [again, other] = [messages(reader, 1), await client(t, port, login)];
  await other.publishAsync("apps/end", "2", { qos: 1 });
  assert.deepEqual(await again, new Map([["apps/end", "2"]]));
});

test("a publisher does not wait for ever, and it is counted", async (t) => {
  const { bypass, metrics, port } = await open(t, { mqtt: withUser, limits: { heardMs: 20 } });
  const one = stage();
  one.hold();
  bypass.subscribe("apps/x", one.take);
  const app = await client(t, port, login);
  await app.publishAsync("apps/x", "1", { qos: 1 });
  assert.equal(metrics.totals().penstock_bypass_early_total, 1);
});

test("messages come in batches of a bound, the next when one is taken; beyond the bound the oldest go, counted", async () => {
  const metrics = metricsRegistry();
  const one = stage();
  one.hold();
  const limits = { ...defaultBrokerLimits, heardMessages: 300, heardBytes: 400_000 };
  const heard = new HeardMessages({ filter: "#", take: one.take, limits, metrics, log: silentLog });
  const hear = (n: number, bytes = 1) => heard.hear("t", Buffer.alloc(bytes, `${n % 10}`));
  hear(0);
  await settle();
  for (let n = 1; n <= 400; n++) hear(n);
  let isSettled = false;
  void heard.settled().then(() => {
    isSettled = true;
  });
  assert.deepEqual([one.batches, counted(metrics, "dropped", "slow-rules")], [[1], 100]);
  one.letGo();
  await settle();
  assert.deepEqual([one.batches, isSettled], [[1, 256, 44], true]);
  assert.equal(one.heard[1], "t 1");
  one.hold();
  for (let n = 0; n < 4; n++) hear(n, 150_000);
  await settle();
  // Bytes have a bound too, in memory and together: two wait, one is under way.
  assert.deepEqual([one.batches.slice(3), counted(metrics, "dropped", "slow-rules")], [[1], 102]);
  one.letGo();
  await settle();
  assert.deepEqual(
    one.heard.slice(-2).map((text) => text[2]),
    ["2", "3"],
  );
});

test("a stage goes on hearing when the broker is changed for another", needs("mosquitto"), async (t) => {
  const mosquitto = await Mosquitto.start();
  t.after(() => mosquitto.close());
  const { bypass } = await open(t);
  const one = stage();
  bypass.subscribe("far/#", one.take);
  bypass.subscribe("far/x", async () => {});
  const broker = { url: mosquitto.url, user: null, password: null };
  await bypass.apply(siteOf({ ...defaultMqtt, broker }));
  const app = await connectAsync(mosquitto.url);
  t.after(() => app.end(true));
  await app.publishAsync("far/x", "1", { qos: 1, retain: true });
  assert.deepEqual(await one.until(1), ["far/x 1"]);
  await mosquitto.kill();
  await mosquitto.restart();
  const again = await connectAsync(mosquitto.url, { reconnectPeriod: 50 });
  t.after(() => again.end(true));
  await again.publishAsync("far/y", "2", { qos: 1, retain: true });
  // Once, though two filters have it.
  assert.deepEqual(
    (await one.until(2)).filter((text) => text.startsWith("far/y")),
    ["far/y 2"],
  );
});
