import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { needs } from "@penstock/testkit";
import { client, closing, counted, cycle, messages, open } from "./bypass-fixture.ts";

for (const version of ["311", "5"]) {
  test(
    `mosquitto_sub (MQTT ${version}) receives both default topics of a cycle`,
    needs("mosquitto-clients"),
    async (t) => {
      const { bypass, port } = await open(t);
      const topics = ["-t", "$ke/events/device/+/+/data/update", "-t", "penstock/#"];
      const args = ["-V", version, "-p", `${port}`, "-C", "2", "-W", "20", "-F", "%t %p", "-d", ...topics];
      // Line by line, so that the test sees when it has subscribed.
      const sub = spawn("stdbuf", ["-oL", "mosquitto_sub", ...args], { stdio: ["ignore", "pipe", "ignore"] });
      let text = "";
      sub.stdout.on("data", async (chunk) => {
        const isFirst = !text.includes("Subscribed");
        text += chunk;
        if (isFirst && text.includes("Subscribed")) await bypass.consumer.take(cycle(0.1));
      });
      const [exit] = await once(sub, "close");
      assert.equal(exit, 0, text);
      assert.match(
        text,
        /^\$ke\/events\/device\/acme\/press-3\/data\/update \{"event_id":"[0-9a-f]{32}","timestamp":1800000000000,/m,
      );
      assert.match(
        text,
        /^penstock\/acme\/press-3\/data \{"time":"2027-01-15T08:00:00.000000Z","values":\{"pressure":0.1,"recipe":"bottle"\}\}$/m,
      );
    },
  );
}

test("an MQTT 5 client sees one message per topic and cycle; # does not see topics that begin with $", async (t) => {
  const { bypass, port } = await open(t);
  const every = await client(t, port);
  await every.subscribeAsync(["#"], { qos: 1 });
  const all = messages(every, 2);
  const ke = await client(t, port, { protocolVersion: 4 });
  await ke.subscribeAsync("$ke/#");
  const kubeEdge = messages(ke, 1);
  await bypass.consumer.take(cycle(7));
  assert.deepEqual([...(await kubeEdge).keys()], ["$ke/events/device/acme/press-3/data/update"]);
  assert.deepEqual(
    await all,
    new Map([
      [
        "penstock/acme/press-3/data",
        '{"time":"2027-01-15T08:00:00.000000Z","values":{"pressure":7,"recipe":"bottle"}}',
      ],
      ["plant/press-3/pressure", '{"time":"2027-01-15T08:00:00.000000Z","values":{"pressure":7}}'],
    ]),
  );
});

test("cycles arrive in order", async (t) => {
  const { bypass, port } = await open(t);
  const reader = await client(t, port);
  await reader.subscribeAsync("plant/+/pressure", { qos: 1 });
  const seen: number[] = [];
  const done = new Promise<void>((resolve) => {
    reader.on("message", (_, payload) => {
      seen.push(JSON.parse(payload.toString()).values.pressure);
      if (seen.length === 300) resolve();
    });
  });
  for (let at = 0; at < 300; at++) await bypass.consumer.take(cycle(at));
  await done;
  assert.deepEqual(
    seen,
    Array.from({ length: 300 }, (_, at) => at),
  );
});

test("publish is refused and counted: MQTT 5 learns not authorized, MQTT 3.1.1 is disconnected, nobody receives it", async (t) => {
  const { bypass, metrics, port } = await open(t);
  const reader = await client(t, port);
  await reader.subscribeAsync(["penstock/#", "plant/#"]);
  const first = new Promise((resolve) => reader.once("message", (topic) => resolve(topic)));
  const five = await client(t, port);
  await assert.rejects(five.publishAsync("plant/forged", "1", { qos: 1 }), /Not authorized/);
  assert.equal(five.connected, true);
  const refused = new Promise((resolve) => five.once("disconnect", ({ reasonCode }) => resolve(reasonCode)));
  await five.publishAsync("plant/forged", "1", { qos: 0 });
  assert.equal(await refused, 0x87);
  const four = await client(t, port, { protocolVersion: 4 });
  const closed = closing(four);
  four.publish("plant/forged", "1", { qos: 0 });
  await closed;
  assert.equal(counted(metrics, "refused", "publish"), 3);
  await bypass.consumer.take(cycle(1));
  assert.equal(await first, "penstock/acme/press-3/data");
});

test("a will is refused with its reason", async (t) => {
  const { metrics, port } = await open(t);
  const will = { topic: "plant/forged", payload: Buffer.from("1"), qos: 0 as const, retain: false };
  await assert.rejects(client(t, port, { will }), /Not authorized/);
  await assert.rejects(client(t, port, { will, protocolVersion: 4 }), /Not authorized/);
  assert.equal(counted(metrics, "refused", "connect"), 2);
});

test("limits of clients, client id, subscriptions and topics are kept", async (t) => {
  const limits = { clients: 2, subscriptions: 2, topicBytes: 20, clientIdBytes: 40 };
  const { metrics, port } = await open(t, { limits });
  await assert.rejects(client(t, port, { clientId: "x".repeat(41) }), /Client Identifier not valid/);
  const one = await client(t, port);
  await client(t, port);
  await assert.rejects(client(t, port), /Server unavailable/);
  await assert.rejects(one.subscribeAsync("x".repeat(21)), /Not authorized/);
  await assert.rejects(one.subscribeAsync("$SYS/#"), /Not authorized/);
  await one.subscribeAsync(["a", "b"]);
  await assert.rejects(one.subscribeAsync("c"), /Not authorized/);
  assert.equal(counted(metrics, "refused", "subscribe"), 3);
});

test("a packet above the limit closes the connection and nothing else", async (t) => {
  const { bypass, port } = await open(t);
  const reader = await client(t, port);
  await reader.subscribeAsync("penstock/#");
  const raw = connect(port, "127.0.0.1");
  await once(raw, "connect");
  // CONNECT with a remaining length of 268,435,455 bytes, of which only the first few are ever sent.
  raw.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x04]));
  raw.on("error", () => {});
  await once(raw, "close");
  const next = messages(reader, 1);
  await bypass.consumer.take(cycle(1));
  assert.equal((await next).size, 1);
});

for (const protocolVersion of [4, 5] as const) {
  test(`a session does not outlive its connection (protocol level ${protocolVersion})`, async (t) => {
    const { bypass, port } = await open(t);
    const properties = protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {};
    const settings = { clientId: "logger", clean: false, protocolVersion, ...properties };
    const before = await client(t, port, settings);
    await before.subscribeAsync("penstock/#", { qos: 1 });
    await before.endAsync();
    await bypass.consumer.take(cycle(1));
    const after = await client(t, port, { ...settings, resubscribe: false });
    const next = messages(after, 1);
    await after.subscribeAsync("plant/#");
    await bypass.consumer.take(cycle(2));
    assert.deepEqual([...(await next).keys()], ["plant/press-3/pressure"]);
  });
}

/** A client that subscribes to everything and then reads nothing. */
async function frozen(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  // CONNECT: "MQTT" level 4, clean session, keep alive 0, client id "f".
  socket.write(Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x66]));
  await once(socket, "data");
  // SUBSCRIBE: packet id 1, "#", QoS 0.
  socket.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 0]));
  await once(socket, "data");
  socket.pause();
  return socket;
}

test("a slow subscriber loses its own messages, counted, in bounded memory, and holds nobody up", async (t) => {
  const limits = { queuedBytes: 256 * 1024, queuedMessages: 50 };
  const { bypass, metrics, port } = await open(t, { limits });
  await frozen(t, port);
  const reader = await client(t, port);
  await reader.subscribeAsync("penstock/#");
  const cycles = 600;
  let received = 0;
  const done = new Promise<void>((resolve) => {
    reader.on("message", () => {
      if (++received === cycles) resolve();
    });
  });
  const recipe = "x".repeat(60_000);
  for (let at = 0; at < cycles; at++) await bypass.consumer.take(cycle(at, recipe));
  await done;
  // 36 MB were offered; socket buffers of the kernel take some, our queue 256 kB, the rest is dropped.
  assert.ok(counted(metrics, "dropped", "slow-client") > 100);
});

test("a subscriber that takes nothing for too long is disconnected", async (t) => {
  const { bypass, port } = await open(t, { limits: { queuedBytes: 64 * 1024, stalledMs: 1 } });
  const socket = await frozen(t, port);
  const closed = once(socket, "close");
  let isClosed = false;
  closed.then(() => {
    isClosed = true;
  });
  const recipe = "x".repeat(60_000);
  for (let at = 0; !isClosed && at < 2000; at++) {
    await bypass.consumer.take(cycle(at, recipe));
    if (at === 1500) socket.resume();
  }
  socket.resume();
  await closed;
});

test("openBypass() names a port in use and what to do, and takes the same port again after close", async (t) => {
  const { bypass, port } = await open(t);
  const reader = await client(t, port);
  await assert.rejects(open(t, { port }), { code: "port/in-use", message: /choose another port/ });
  const gone = closing(reader);
  await bypass.close();
  await gone;
  const again = await open(t, { port });
  const next = await client(t, port);
  await next.subscribeAsync("penstock/#");
  const seen = messages(next, 1);
  await again.bypass.consumer.take(cycle(1));
  await seen;
});

test("a device that is not at this gateway is counted, not published", async (t) => {
  const { bypass, metrics } = await open(t, { devices: [] });
  await bypass.consumer.take(cycle(1));
  assert.equal(metrics.counter("penstock_bypass_unknown_device_total", "").value, 1);
});
