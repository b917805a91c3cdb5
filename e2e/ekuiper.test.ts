import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { plantDevices } from "@penstock/testkit";
import { connectAsync } from "mqtt";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

let cloud: CloudProcess;
/** collects; its rules run at `there` */
let here: EdgeProcess;
/** another gateway: it speaks eKuiper's REST shape, and is taken for one */
let there: EdgeProcess;
let mqtt: Awaited<ReturnType<typeof connectAsync>>;
const messages: { readonly topic: string; readonly content: unknown }[] = [];
after(() => mqtt?.endAsync(true));

const rule = (name: string, sql: string) => ({
  ...{ apiVersion: "penstock.dev/v1", kind: "Rule", metadata: { name } },
  spec: { nodes: ["gw-01"], mode: "compat", sql, actions: [{ mqtt: { topic: `out/${name}` } }] },
});
async function applied(...documents: readonly object[]): Promise<void> {
  const input = documents.map((one) => JSON.stringify(one)).join("\n---\n");
  const { code, stderr, stdout } = await bench.run(["apply", "-f", "-"], { input });
  assert.equal(code, 0, stderr + stdout);
}
const statusOf = async (name: string) =>
  (await cloud.client.rules.get({ params: { tenant: "default", name } })).status.nodes[0];

/** A tool of eKuiper's users. */
async function ask(method: string, path: string, body?: object) {
  const answer = await fetch(`${there.ekuiperAddress}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: answer.status, text: await answer.text() };
}

before(async () => {
  const plant = await bench.startPlant();
  cloud = await bench.startCloud();
  there = await bench.startEdge(cloud, "gw-02", { args: ["--ekuiper-port", "0"] });
  here = await bench.startEdge(cloud, "gw-01", { args: ["--ekuiper", there.ekuiperAddress!] });
  await applied(...plantDevices({ host: plant.host, port: plant.port, node: "gw-01" }));
  mqtt = await connectAsync(here.mqttAddress, {});
  mqtt.on("message", (topic, payload) => messages.push({ topic, content: JSON.parse(payload.toString()) }));
  await mqtt.subscribeAsync("out/#");
});

test("a rule of the cloud runs at the other engine, and its own actions are done here", async () => {
  await applied(rule("mean", "SELECT avg(level) AS mean, count(*) AS n FROM `tank-01` GROUP BY TUMBLINGWINDOW(ss, 1)"));
  const { content } = await eventually("a result", () => messages.find(({ topic }) => topic === "out/mean"));
  const { mean, n } = content as { readonly mean: number; readonly n: number };
  assert.ok(Number.isFinite(mean) && n >= 1, JSON.stringify(content));
  const status = await eventually("its status in the cloud", async () => {
    const one = await statusOf("mean");
    return one !== undefined && one.state === "running" && one.rowsIn > 0 && one;
  });
  assert.ok(status.rowsOut > 0);
  const { text } = await ask("GET", "/rules");
  assert.match(text, /"id":"penstock_gw-01_mean","name":"mean","status":"running"/);
});

test("what the other engine refuses comes back as refused, in its words", async () => {
  // A table that is looked up by key and fed by a topic: ours has it, eKuiper does not.
  const limits = { mqtt: { topic: "limits" }, columns: "id float, high float", table: { key: "id" } };
  const sql = "SELECT `tank-01`.level FROM `tank-01` INNER JOIN limits ON `tank-01`.level = limits.id";
  const wanted = rule("joined", sql);
  await applied({ ...wanted, spec: { ...wanted.spec, sources: { limits } } });
  const status = await eventually("the refusal", async () => {
    const one = await statusOf("joined");
    return one?.state === "refused" && one;
  });
  assert.equal(status.reason, "rules/ekuiper-refused");
  assert.match(status.message ?? "", /TYPE is "mqtt": there is no such lookup table/);
});

test("a stream and a rule made with eKuiper's words read a topic, run, and are there after a restart", async () => {
  const extra = JSON.stringify({ server: here.mqttAddress.replace("mqtt:", "tcp:") });
  const sql = `CREATE STREAM flat () WITH (DATASOURCE="penstock/default/tank-01/data", FORMAT="JSON", EXTRA='${extra}')`;
  assert.deepEqual(await ask("POST", "/streams", { sql }), { status: 201, text: "Stream flat is created." });
  const made = { id: "level", sql: "SELECT values->level AS level FROM flat", actions: [{ log: {} }] };
  assert.equal((await ask("POST", "/rules", made)).status, 201);
  const rowsOf = async () => {
    const { text } = await ask("GET", "/rules/level/status");
    return (JSON.parse(text) as Record<string, number>).source_flat_0_records_in_total ?? 0;
  };
  await eventually("rows", async () => (await rowsOf()) > 0);
  await there.process.kill();
  there = await bench.startAgent("gw-02", { args: ["--ekuiper-port", "0"] });
  await eventually("rows after the restart", async () => (await rowsOf()) > 0);
  assert.match((await ask("GET", "/streams")).text, /"flat"/);
});
