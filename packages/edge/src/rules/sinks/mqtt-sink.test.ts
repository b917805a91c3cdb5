// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultMqtt, type RuleActionOf } from "@penstock/model";
import { needs, SimClock, SimRandom, settle, simDisk } from "@penstock/testkit";
import { connectAsync } from "mqtt";
import { Mosquitto } from "../../../../mappers/mqtt/test/mosquitto.ts";
import { open } from "../../bypass/bypass-fixture.ts";
import { outputOf, takeAll, testParts, watched } from "./delivery/delivery-fixture.ts";
import { openMqttHere } from "./mqtt-sink.ts";
import type { SinkParts } from "./sink-parts.ts";

function bench(settings: Omit<RuleActionOf<"mqtt">, "topic">, disk = simDisk({ random: new SimRandom(1) })) {
  const clock = new SimClock();
  const tested = testParts({ clock, random: new SimRandom(2), files: disk.files });
  const broker = { isUp: true };
  const site: SinkParts["site"] = {
    ...tested.parts.site,
    async publish(message) {
      if (!broker.isUp) throw new Error("away");
      await tested.parts.site.publish(message);
    },
  };
  const sink = openMqttHere({ topic: "line/${line}", ...settings }, { ...tested.parts, site });
  const said = () => tested.published.splice(0).map(({ topic, text }) => `${topic} ${text}`);
  return { ...tested, clock, broker, sink, said };
}
const row = (n: number, line = "a") => ({ line, n });

test("each row is a message, however many a result has; a topic that none can be is refused and told", async () => {
  const { sink, said, counted, failures } = bench({ fields: ["n"], deadLetter: "dead" });
  await sink.take(outputOf(row(1), row(2, "b"), { line: "+", n: 3 }, row(4)));
  const [dead, ...rest] = said().toSorted();
  assert.deepEqual(rest, ['line/a {"n":1}', 'line/a {"n":4}', 'line/b {"n":2}']);
  assert.match(
    dead!,
    /^dead \{"rule":"hot","action":"mqtt","reason":"Cannot publish at .*line\/\+.*"row":\{"line":"\+","n":3\}\}$/,
  );
  assert.equal(failures.length, 1);
  await sink.take(outputOf(...Array.from({ length: 5000 }, (_, n) => row(n))));
  assert.deepEqual([said().length, counted("dropped_rows"), counted("delivered_rows")], [5000, 0, 5003]);
});

test("rows go together as a list, of a result or of a batch", async () => {
  const list = bench({ send: "list", template: "${n}" });
  await list.sink.take(outputOf(row(1), row(2)));
  assert.deepEqual(list.said(), ["line/a 1\n2"]);
  const batch = bench({ batch: { rows: 3, linger: "1s" }, fields: ["n"] });
  void takeAll(batch.sink, [outputOf(row(1), row(2)), outputOf(row(3), row(4))]);
  await settle();
  assert.deepEqual(batch.said(), ['line/a [{"n":1},{"n":2},{"n":3}]']);
  await batch.clock.advanceAsync(1000);
  assert.deepEqual(batch.said(), ['line/a [{"n":4}]']);
});

test("while the broker is away results wait on the disk, also over a restart", async () => {
  const disk = simDisk({ random: new SimRandom(3) });
  const before = bench({ cache: {}, fields: ["n"] }, disk);
  before.broker.isUp = false;
  await takeAll(before.sink, [outputOf(row(1)), outputOf(row(2))]);
  const closed = before.sink.close();
  await before.clock.advanceAsync(3000);
  await closed;
  disk.crash();
  const after = bench({ cache: {}, fields: ["n"] }, disk);
  await takeAll(after.sink, [outputOf(row(3))]);
  await after.clock.advanceAsync(1000);
  assert.deepEqual(after.said(), ['line/a {"n":1}', 'line/a {"n":2}', 'line/a {"n":3}']);
});

test("close() ends though the broker never answers", async () => {
  const { parts } = testParts();
  const clock = new SimClock();
  const site = { ...parts.site, publish: () => new Promise<void>(() => {}) };
  const sink = openMqttHere({ topic: "x" }, { ...parts, clock, site });
  void sink.take(outputOf(row(1)));
  await settle();
  const closed = watched(sink.close());
  await clock.advanceAsync(2000);
  assert.equal(closed.isDone, true);
});

test("results for the broker that was chosen survive its outage, in their order", needs("mosquitto"), async (t) => {
  const mosquitto = await Mosquitto.start();
  t.after(() => mosquitto.close());
  const broker = { url: mosquitto.url, user: null, password: null };
  const { bypass } = await open(t, { mqtt: { ...defaultMqtt, broker } });
  const { parts, counted } = testParts();
  const site: SinkParts["site"] = { ...parts.site, publish: (message) => bypass.publish(message) };
  const retry = { first: "20ms", longest: "100ms" };
  const sink = openMqttHere({ topic: "clean/${line}", qos: 1, fields: ["n"], cache: {}, retry }, { ...parts, site });
  const listen = async () => {
    const heard: string[] = [];
    let look = () => {};
    const client = await connectAsync(mosquitto.url);
    client.on("message", (topic, payload) => {
      heard.push(`${topic} ${payload}`);
      look();
    });
    await client.subscribeAsync("clean/#", { qos: 1 });
    t.after(() => client.end(true));
    return (last: string) =>
      new Promise<string[]>((resolve) => {
        look = () => heard.includes(last) && resolve(heard);
        look();
      });
  };
  const before = await listen();
  await sink.take(outputOf(row(1)));
  assert.deepEqual(await before('clean/a {"n":1}'), ['clean/a {"n":1}']);
  await mosquitto.kill();
  await takeAll(sink, [outputOf(row(2)), outputOf(row(3)), outputOf(row(4))]);
  assert.ok(counted("cached_rows") >= 2);
  await mosquitto.restart();
  const after = await listen();
  // What was under way when the broker went may come twice.
  const heard = new Set(await after('clean/a {"n":4}'));
  assert.deepEqual([...heard], ['clean/a {"n":2}', 'clean/a {"n":3}', 'clean/a {"n":4}']);
  await sink.close();
});
