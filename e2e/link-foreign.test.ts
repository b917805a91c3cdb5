import assert from "node:assert/strict";
import { after, test } from "node:test";
import { encodeFrame, pack } from "@penstock/wire";
import { ForeignGateway, foreignHello, joinForeign } from "./support/foreign-gateway.ts";
import { eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

// A gateway of another maker or of another year, over TLS on the cloud's one port. What each of its words does to the session is
// tested beside the session; here it is that the port lets it speak.
test("a gateway that offers link versions 1..2, and one with an unknown lane and unknown fields, connect; one with only 2 does not", async () => {
  const cloud = await bench.startCloud();
  const node = await joinForeign(cloud, "gw-foreign");
  const isConnected = async () => {
    const { status } = await cloud.client.nodes.get({ params: { tenant: "default", name: "gw-foreign" } });
    return status.connected;
  };

  const newer = await ForeignGateway.open(cloud, node);
  newer.say({ ...foreignHello, versions: { min: 1, max: 2 }, features: ["teleport"], mood: "good" });
  const welcome = await eventually("a welcome", () => newer.answers[0]);
  assert.equal(welcome.t, "welcome");
  assert.equal(welcome.version, 1);
  assert.ok(await isConnected());
  newer.raw(encodeFrame({ lane: 30, n: 0, more: false, part: new Uint8Array(5) }));
  newer.raw(Uint8Array.from(pack([31, 0, 0, new Uint8Array(1), "a fifth element"])));
  newer.say({ t: "sing", song: "none" });
  newer.say({ t: "ping", n: 4, loud: true });
  await eventually("the answer to what it knows", () => newer.answers.some(({ t, n }) => t === "pong" && n === 4));
  const ignored = async () =>
    Number(/^penstock_link_ignored_total (\d+)$/m.exec(await cloud.client.system.metrics({}))?.[1]);
  // features are a list and no field: mood, the two lanes, the fifth element, the kind "sing", the field "loud"
  assert.equal(await eventually("the counter", async () => ((await ignored()) >= 6 ? ignored() : null)), 6);
  assert.ok(await isConnected());
  newer.close();

  const tooNew = await ForeignGateway.open(cloud, node);
  tooNew.say({ t: "hello", versions: { min: 2, max: 2 }, who: 5 });
  await tooNew.ended;
  const [refused] = tooNew.answers;
  assert.equal(refused?.t, "refused");
  assert.equal(refused?.code, "link/no-common-version");
  assert.match(String(refused?.message), /the gateway speaks link versions 2\.\.2, the cloud 1\.\.1/);
  assert.deepEqual(refused?.versions, { min: 1, max: 1 });
  await eventually("the first one's end", async () => !(await isConnected()));
});
