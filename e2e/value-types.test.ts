import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { MemoryUnit, ModbusServer, needs, numberOf, rawWords, wordsOf } from "@penstock/testkit";
import { type Extreme, extremes } from "./support/extremes.ts";
import { type CloudProcess, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

const params = { tenant: "default", device: "limits" };
/** What a reading says, wherever it is read. */
interface Seen {
  readonly value: unknown;
  readonly quality: string;
  readonly reason: string | null;
}
const expected = ({ json, reason }: Extreme): Seen => ({
  value: json,
  quality: reason === null ? "good" : "bad",
  reason,
});
const seen = ({ value, quality, reason }: Seen): Seen => ({ value, quality, reason });

test(
  "every type's extremes come from the register to API, stream, series, CLI and MQTT, and go back by a set",
  needs("mosquitto-clients"),
  async () => {
    const unit = new MemoryUnit({ holding: extremes.length * 4 });
    const plant = await ModbusServer.listen({ units: new Map([[1, unit]]) });
    try {
      for (const [i, { raw, wordOrder, held }] of extremes.entries())
        unit.holding.set(wordsOf(raw, wordOrder, held), i * 4);
      const cloud = await bench.startCloud();
      const edge = await bench.startEdge(cloud, "gw-01");
      await describe(cloud, plant.port);

      await eventually("every reading", async () => {
        const { properties } = await cloud.client.twins.get({ params });
        return properties.every((p) => p.reported !== null);
      });
      const twin = await cloud.client.twins.get({ params });
      const reported = new Map(twin.properties.map((p) => [p.property, p.reported!]));
      assert.equal(reported.size, extremes.length);
      for (const extreme of extremes) {
        const at = `${extreme.property} in the twin`;
        assert.deepEqual(seen(reported.get(extreme.property)!), expected(extreme), at);
        assert.equal(reported.get(extreme.property)!.type, extreme.type, at);
      }
      await assertStream(cloud);
      await assertSeries(cloud);
      await assertCommandLine();
      await assertMqtt(new URL(edge.mqttAddress));
      await assertSet(cloud, unit);
    } finally {
      await plant.close();
    }
  },
);

async function describe(cloud: CloudProcess, port: number): Promise<void> {
  const properties = Object.fromEntries(
    extremes.map(({ property, type, raw, wordOrder }, i) => [
      property,
      {
        type,
        access: "readWrite" as const,
        visitor: { table: "holding", offset: i * 4, raw, wordOrder },
        collect: { every: "250ms" },
      },
    ]),
  );
  const connection = { protocol: "modbus", settings: { host: "127.0.0.1", port } };
  await cloud.client.devices.put({
    params: { tenant: "default", name: "limits" },
    body: { metadata: { name: "limits" }, spec: { node: "gw-01", connection, address: { unitId: 1 }, properties } },
    create: true,
  });
}

async function assertStream(cloud: CloudProcess): Promise<void> {
  const stop = new AbortController();
  const stream = cloud.client.live.stream({
    params: { tenant: "default" },
    query: { device: ["limits"] },
    signal: stop.signal,
  });
  // The first event has the last values, the second what has come since.
  for (const which of ["last values", "news"]) {
    const { value, done } = await stream.next();
    assert.ok(done !== true && value.event === "readings");
    const readings = new Map(value.data.readings.map((reading) => [reading.property, seen(reading)]));
    for (const extreme of extremes)
      assert.deepEqual(
        readings.get(extreme.property),
        expected(extreme),
        `${extreme.property} in the stream's ${which}`,
      );
  }
  stop.abort();
}

async function assertSeries(cloud: CloudProcess): Promise<void> {
  for (const extreme of extremes) {
    const { points, type } = await cloud.client.series.query({
      params: { ...params, property: extreme.property },
      query: { from: "-1m", to: "now" },
    });
    assert.equal(type, extreme.type);
    assert.ok(points.length > 0);
    assert.deepEqual(seen(points.at(-1)!), expected(extreme), `${extreme.property} in the series`);
  }
}

async function assertCommandLine(): Promise<void> {
  const described = await bench.json<{ twin: { property: string; reported: Seen }[] }>([
    "describe",
    "device",
    "limits",
  ]);
  const byName = new Map(described.twin.map(({ property, reported }) => [property, reported]));
  for (const extreme of extremes)
    assert.deepEqual(seen(byName.get(extreme.property)!), expected(extreme), `${extreme.property} on the command line`);
  const text = await bench.run(["query", "limits", "u64max", "--from", "-1m"]);
  assert.match(text.stdout, /18446744073709551615 {2,}good/);
}

async function assertMqtt({ hostname, port }: URL): Promise<void> {
  const topics = ["penstock/default/limits/data", "$ke/events/device/default/limits/data/update"] as const;
  const args = ["-h", hostname, "-p", port, "-v", ...topics.flatMap((topic) => ["-t", topic])];
  const subscriber = spawn("mosquitto_sub", args);
  const messages = new Map<string, string>();
  createInterface({ input: subscriber.stdout }).on("line", (line) => {
    const space = line.indexOf(" ");
    messages.set(line.slice(0, space), line.slice(space + 1));
  });
  try {
    const flat = await eventually("the flat message", () => messages.get(topics[0]));
    const { values, quality } = JSON.parse(flat) as {
      values: Record<string, unknown>;
      quality: Record<string, unknown>;
    };
    for (const { property, json, reason } of extremes) {
      assert.deepEqual(values[property], json, `${property} on the flat topic`);
      assert.deepEqual(quality[property], reason === null ? undefined : { is: "bad", reason }, property);
    }
    // JSON.parse is as forgiving as a double: the digits themselves must be there.
    assert.ok(flat.includes('"u64max":"18446744073709551615"') && flat.includes('"f32tenth":0.1,'), flat);
    const kubeEdge = await eventually("the KubeEdge message", () => messages.get(topics[1]));
    const { data } = JSON.parse(kubeEdge) as { data: Record<string, { value: string }> };
    for (const { property, text } of extremes)
      assert.equal(data[property]?.value ?? null, text, `${property} on KubeEdge's topic`);
  } finally {
    subscriber.kill();
  }
}

async function assertSet(cloud: CloudProcess, unit: MemoryUnit): Promise<void> {
  const registers = (at: number, { raw, wordOrder }: Extreme) =>
    numberOf(raw, wordOrder, unit.holding.slice(at * 4, at * 4 + rawWords[raw]));
  for (const [i, extreme] of extremes.entries()) {
    if (extreme.set === null) continue;
    const { property } = extreme;
    const { json, held } = extreme.set;
    const outcome = await cloud.client.twins.setDesired({
      params: { ...params, property },
      query: { wait: "10s" },
      body: { value: json },
    });
    assert.equal(outcome.state, "confirmed", property);
    assert.equal(registers(i, extreme), held, `${property} in the registers`);
    // A float32 is read back as the number that it can hold.
    if (extreme.type !== "float32") assert.equal(outcome.readBack, json, `${property} read back`);
  }
  // The command line takes a negative number as a value, and its digits reach the registers.
  const at = extremes.findIndex(({ property }) => property === "i64small");
  const typed = await bench.run(["set", "limits", "i64small", "-9223372036854775808"]);
  assert.equal(typed.code, 0, typed.stderr);
  assert.match(typed.stdout, /i64small = -9223372036854775808 confirmed, read back -9223372036854775808/);
  assert.equal(registers(at, extremes[at]!), -(2n ** 63n));
}
