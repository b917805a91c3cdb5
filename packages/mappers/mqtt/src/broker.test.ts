// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of topics and payloads have placeholders of that shape
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Payload } from "@penstock/mapper-sdk";
import { freePort, needs } from "@penstock/testkit";
import { Mosquitto, makeCertificates } from "../test/mosquitto.ts";
import { codeOf, openFor, pointOf, Told } from "../test/open-for.ts";
import { TopicNews } from "./topic-news.ts";

const needed = needs("mosquitto", "mosquitto-clients");
const { signal } = new AbortController();
const started: { close(): Promise<void> }[] = [];
after(async () => {
  for (const one of started.reverse()) await one.close();
});
async function start(settings?: string): Promise<Mosquitto> {
  const broker = await Mosquitto.start(settings);
  started.push(broker);
  return broker;
}
async function open(...args: Parameters<typeof openFor>) {
  const opened = await openFor(...args);
  started.push(opened.connection);
  return opened;
}

test("a foreign client's values come typed, with the device's own time, retained ones first", needed, async () => {
  const broker = await start();
  await broker.publish("plant/press-3/state", '{"t": 20.5, "n": 18446744073709551615}', ["-r"]);
  let read = 0;
  const news = new TopicNews((bytes) => {
    read++;
    return new Payload(bytes);
  });
  const { connection } = await open(broker.url, {}, { news });
  const topic = "plant/${device}/state";
  const points = [
    pointOf("temperature", "float64", { topic, path: "$.t", time: "$.at" }),
    pointOf("count", "uint64", { topic, path: "$.n", missing: "keep" }),
    pointOf("all", "json", { topic }),
  ];
  const told = new Told();
  await connection.subscribe(points, told.options);
  assert.deepEqual((await told.next(3)).slice(0, 2), [
    [0, 20.5],
    [1, 18446744073709551615n],
  ]);
  assert.equal(read, 1, "three properties of one message are one reading of it");
  await broker.publish("plant/press-3/state", '{"t": "21.5", "at": "2026-01-02T03:04:05.000001Z"}');
  await broker.publish("plant/press-4/state", '{"t": 99}');
  await broker.publish("plant/press-3/state", '{"t": true}');
  await told.atLeast(4);
  assert.equal(told.all[0]![1].time, Date.UTC(2026, 0, 2, 3, 4, 5) * 1000 + 1);
  assert.deepEqual(await told.next(4), [
    [0, 21.5],
    [2, { json: { t: "21.5", at: "2026-01-02T03:04:05.000001Z" } }],
    [0, "mapper/bad-answer"],
    [2, { json: { t: true } }],
  ]);
});

test("a set value reaches a foreign client, and what the device says next is read back", needed, async () => {
  const broker = await start();
  const device = await broker.device({ topic: "plant/+/set" });
  const { connection, clock } = await open(broker.url);
  const visitor = { topic: "plant/${name}/state", path: "$.level", setTopic: "plant/${name}/set" };
  const set = pointOf(
    "level",
    "int64",
    { ...visitor, template: '{"set": {"level": ${value}}, "by": "${device}"}' },
    { address: { name: "tank" } },
  );
  await connection.write(set, 9007199254740993n, { signal });
  await device.heard(/\{"set": \{"level": 9007199254740993\}, "by": "press-3"\}/);
  const readBack = connection.read([set], { signal });
  await broker.publish("plant/tank/state", '{"level": 9007199254740993}');
  assert.deepEqual(await readBack, [{ value: 9007199254740993n }]);
  // A device that says nothing more: the last word stands.
  await connection.write(set, 5n, { signal });
  const waiting = connection.read([set], { signal });
  clock.move(1000);
  assert.deepEqual(await waiting, [{ value: 9007199254740993n }]);
  const nobody = pointOf("x", "bool", { setTopic: "nobody/listens", on: "ON" });
  assert.equal(await codeOf(connection.write(nobody, true, { signal })), "mapper/device-offline");
  assert.equal(await codeOf(connection.write(set, 5, { signal })), "mapper/value-out-of-range");
});

test("read answers the last that was told, and says so when nothing was", needed, async () => {
  const broker = await start();
  const { connection, clock } = await open(broker.url);
  const point = pointOf("mode", "string", { topic: "m", format: "text" });
  const first = connection.read([point], { signal });
  const polled = first.then(() => connection.read([{ ...point }], { signal }));
  // The first waits for what the broker may have kept; whichever turn its agreement takes.
  let isDone = false;
  first.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise((turn) => setImmediate(turn));
    clock.move(10);
  }
  assert.deepEqual(await first, [{ value: null, reason: "mapper/nothing-told" }]);
  assert.deepEqual(await polled, [{ value: null, reason: "mapper/nothing-told" }]);
  const told = new Told();
  await connection.subscribe([point], told.options);
  clock.move(1000);
  assert.deepEqual(await told.next(1), [[0, "mapper/nothing-told"]]);
  await broker.publish("m", "auto");
  assert.deepEqual(await told.next(1), [[0, "auto"]]);
  assert.deepEqual(await connection.read([point], { signal }), [{ value: "auto" }]);
});

test("a device that dies is offline at once by its last will, and back with its next message", needed, async () => {
  const broker = await start();
  const will = [
    "--will-topic",
    "plant/press-3/online",
    "--will-payload",
    "offline",
    "--will-qos",
    "1",
    "--will-retain",
  ];
  await broker.publish("plant/press-3/level", "1", ["-r"]);
  const device = await broker.device({ topic: "plant/press-3/set", will });
  const { connection } = await open(broker.url);
  const address = { willTopic: "plant/${device}/online" };
  const points = ["level", "speed"].map((name) =>
    pointOf(name, "int32", { topic: "plant/${device}/${property}" }, { address }),
  );
  const told = new Told();
  await connection.subscribe(points, told.options);
  assert.deepEqual(await told.next(1), [[0, 1]]);
  await device.die();
  assert.deepEqual(await told.next(2), [
    [0, "mapper/device-offline"],
    [1, "mapper/device-offline"],
  ]);
  assert.deepEqual(
    (await connection.read(points, { signal })).map(({ reason }) => reason),
    ["mapper/device-offline", "mapper/device-offline"],
  );
  // What the broker has kept is no sign of life.
  const later = new Told();
  await connection.subscribe(points, later.options);
  assert.deepEqual(await later.next(2), [
    [0, "mapper/device-offline"],
    [1, "mapper/device-offline"],
  ]);
  const fresh = new Told();
  await (await open(broker.url)).connection.subscribe(points, fresh.options);
  assert.deepEqual(await fresh.next(2), [
    [0, "mapper/device-offline"],
    [1, "mapper/device-offline"],
  ]);
  await broker.publish("plant/press-3/speed", "7");
  assert.deepEqual(await told.next(1), [[1, 7]]);
  // Who comes back says so: what was kept for it counts again.
  await broker.publish("plant/press-3/online", "online", ["-r"]);
  await broker.publish("plant/press-3/level", "2", ["-r"]);
  assert.deepEqual(await told.next(1), [[0, 2]]);
});

test("a broker that is killed ends the connection; on the next one retained values come again", needed, async () => {
  const broker = await start();
  const { connection, lost } = await open(broker.url);
  const point = pointOf("a", "float32", { topic: "a" });
  const told = new Told();
  await connection.subscribe([point], told.options);
  await broker.publish("a", "0.5", ["-r"]);
  assert.deepEqual(await told.next(1), [[0, 0.5]]);
  await broker.kill();
  assert.equal((await lost).code, "mapper/connection-lost");
  assert.equal(
    await codeOf(connection.read([pointOf("b", "bool", { topic: "b" })], { signal })),
    "mapper/connection-lost",
  );
  await connection.close();
  assert.equal(await codeOf(openFor(broker.url)), "mapper/connect-failed");
  await broker.restart();
  await broker.publish("a", "0.25", ["-r"]);
  const again = await open(broker.url);
  const next = new Told();
  await again.connection.subscribe([point], next.options);
  assert.deepEqual(await next.next(1), [[0, 0.25]]);
});

test("with cleanStart: false the broker keeps what comes while we are away", needed, async () => {
  const broker = await start();
  const settings = { clientId: "gw-01", cleanStart: false };
  const point = pointOf("n", "int32", { topic: "n/+" });
  const first = await openFor(broker.url, settings);
  const told = new Told();
  await first.connection.subscribe([point], told.options);
  // As the runner does it: what was subscribed to ends before the connection.
  told.ended.abort();
  await first.connection.close();
  for (let i = 0; i < 20; i++) await broker.publish("n/x", `${i}`);
  const { connection } = await open(broker.url, settings);
  const next = new Told();
  await connection.subscribe([point], next.options);
  await broker.publish("n/x", "20");
  const values = (await next.next(21)).map((row) => (row as [number, number])[1]);
  assert.deepEqual(
    values,
    Array.from({ length: 21 }, (_, i) => i),
  );
});

test(
  "TLS with the plant's own CA and a password file; who is not trusted or not known is refused",
  needed,
  async () => {
    const broker = await start("allow_anonymous true");
    makeCertificates(broker.folder);
    await broker.kill();
    writeFileSync(join(broker.folder, "passwords"), "press:s3cret\n");
    execFileSync("mosquitto_passwd", ["-U", join(broker.folder, "passwords")]);
    const files = ["cafile FOLDER/ca.pem", "certfile FOLDER/server.pem", "keyfile FOLDER/server.key"];
    const secure = await start(
      [...files, "allow_anonymous false", "password_file FOLDER/passwords"]
        .join("\n")
        .replaceAll("FOLDER", broker.folder),
    );
    const url = secure.url.replace("mqtt:", "mqtts:");
    const user = { user: "press", password: "s3cret" };
    const folder = broker.folder;
    const { connection } = await openFor(url, { ...user, ca: "ca.pem" }, { folder });
    const told = new Told();
    await connection.subscribe(
      [pointOf("a", "bool", { topic: "a", on: "ON", off: "OFF", setTopic: "a" })],
      told.options,
    );
    await connection.write(pointOf("a", "bool", { setTopic: "a", on: "ON", format: "text" }), true, { signal });
    assert.deepEqual(await told.next(1), [[0, "mapper/bad-answer"]], "JSON was expected, text was set");
    await connection.close();
    const refused = [
      [user, "mapper/connect-failed"],
      [{ ...user, ca: "none.pem" }, "mapper/connect-failed"],
      [{ ...user, password: "guess", ca: "ca.pem" }, "mapper/access-denied"],
      [{ ca: "ca.pem" }, "mapper/access-denied"],
    ] as const;
    for (const [settings, code] of refused) assert.equal(await codeOf(openFor(url, settings, { folder })), code);
  },
);

test("MQTT 3.1.1 and WebSocket carry the same", needed, async () => {
  const port = await freePort();
  await start(`allow_anonymous true\nlistener ${port} 127.0.0.1\nprotocol websockets`);
  for (const protocol of ["4", "5"]) {
    const { connection } = await openFor(`ws://127.0.0.1:${port}`, { protocol });
    const point = pointOf("raw", "bytes", { topic: "raw", format: "bytes", setTopic: "raw" });
    const told = new Told();
    await connection.subscribe([point], told.options);
    await connection.write(point, Uint8Array.of(0, 255, 1), { signal });
    await told.atLeast(1);
    assert.deepEqual(new Uint8Array(told.all[0]![1].value as Uint8Array), Uint8Array.of(0, 255, 1));
    await connection.close();
  }
});

test(
  "a packet beyond the limit ends the connection before it is gathered; MQTT 5 brokers do not even send it",
  needed,
  async () => {
    const broker = await start();
    const large = join(broker.folder, "large");
    writeFileSync(large, Buffer.alloc(4 * 2 ** 20, 0x30));
    for (const protocol of ["4", "5"]) {
      const { connection, lost } = await open(broker.url, { protocol });
      const told = new Told();
      await connection.subscribe([pointOf("n", "int32", { topic: `n/${protocol}` })], told.options);
      await broker.publishFile(`n/${protocol}`, large);
      if (protocol === "4") {
        const { code, message } = await lost;
        assert.deepEqual([code, /longer than 1114112 bytes/.test(message)], ["mapper/connection-lost", true]);
      } else {
        await broker.publish("n/5", "7");
        assert.deepEqual(await told.next(1), [[0, 7]]);
      }
    }
  },
);
