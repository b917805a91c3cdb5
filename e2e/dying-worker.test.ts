import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  addRange,
  batchFromSamples,
  type DeviceUid,
  holds,
  type Layout,
  type Micros,
  type Ranges,
} from "@penstock/model";
import { encodeBatchBody, encodeFrame, encodeMessage } from "@penstock/wire";
import { ForeignGateway, foreignHello, joinForeign } from "./support/foreign-gateway.ts";
import { type CloudProcess, eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

const start = 1_795_000_000_000_000;

/** Sends readings first..last, one a message, the layout with the very first. */
function send(gateway: ForeignGateway, layout: Layout, span: { readonly first: number; readonly last: number }): void {
  for (let seq = span.first; seq <= span.last; seq++) {
    const sample = {
      property: "level",
      time: (start + seq) as Micros,
      value: seq,
      quality: "good",
      reason: null,
    } as const;
    const body = encodeBatchBody(batchFromSamples({ layout, samples: [sample] }).batch);
    const layouts = seq === 1 ? [layout] : [];
    const part = encodeMessage({ t: "readings", layouts, entries: [[seq, 1, layout.id, body]] } as never);
    gateway.raw(encodeFrame({ lane: 1, n: seq - 1, more: false, part }));
  }
}
function ackedOf(gateway: ForeignGateway): Ranges {
  return gateway.answers
    .filter(({ t }) => t === "ack")
    .flatMap(({ ranges }) => ranges as Ranges)
    .reduce<Ranges>((all, [from, to]) => addRange(all, from, to), []);
}
async function deviceOf(cloud: CloudProcess): Promise<DeviceUid> {
  const at = (name: string) => ({ params: { tenant: "default", name }, create: true });
  const spec = {
    node: "gw-die",
    connection: { protocol: "modbus", settings: { host: "127.0.0.1" } },
    properties: { level: { type: "float64", visitor: { table: "holding", offset: 0 } } },
  } as const;
  const made = await cloud.client.devices.put({ ...at("tank"), body: { metadata: { name: "tank" }, spec } });
  return made.metadata.uid as DeviceUid;
}

test("a cloud whose series writer dies exits 1, and nothing that it acknowledged or was not acknowledged is lost", async () => {
  const die = join(bench.folder, "die");
  const preload = join(root, "e2e/support/dying-worker.ts");
  const cloud = await bench.startCloud({ env: { NODE_OPTIONS: `--import=${preload}`, DIE_WHEN: die } });
  const node = await joinForeign(cloud, "gw-die");
  const layout: Layout = { id: 1, device: await deviceOf(cloud), properties: [{ name: "level", type: "float64" }] };
  const total = 3000;
  const hello = { ...foreignHello, highest: total, recovered: total };
  const gateway = await ForeignGateway.open(cloud, node);
  gateway.say(hello);
  await eventually("a welcome", () => gateway.answers.some(({ t }) => t === "welcome"));
  send(gateway, layout, { first: 1, last: 1000 });
  await eventually("the first acknowledgement", () => ackedOf(gateway).length > 0);
  writeFileSync(die, "");
  send(gateway, layout, { first: 1001, last: total });
  await gateway.ended;
  const end = await eventually("the end", () => cloud.process.ends.at(-1));
  assert.deepEqual([end.code, end.signal], [1, null]);
  const acked = ackedOf(gateway);

  const ports = { port: new URL(cloud.address).port, localPort: new URL(cloud.localAddress).port };
  await bench.startCloudAgain(cloud, ports);
  const back = await ForeignGateway.open(cloud, node);
  back.say(hello);
  const welcome = await eventually("a welcome", () => back.answers.find(({ t }) => t === "welcome"));
  assert.equal(welcome.newEpoch, false);
  for (const [from, to] of acked) assert.ok(holds(welcome.held as Ranges, from, to), `${from}..${to} was acknowledged`);
  // All of it again: what the store has is left out.
  send(back, layout, { first: 1, last: total });
  await eventually("the last acknowledgement", () => holds(ackedOf(back), total, total));
  const params = { tenant: "default", device: "tank", property: "level" };
  const series = await cloud.client.series.query({
    params,
    query: {
      from: new Date(start / 1000 - 1).toISOString(),
      to: new Date(start / 1000 + 10).toISOString(),
      points: 10_000,
    },
  });
  assert.deepEqual(
    series.points.map(({ value }) => value),
    Array.from({ length: total }, (_, i) => i + 1),
  );
  back.close();
});
