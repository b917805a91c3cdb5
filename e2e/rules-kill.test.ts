import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { apiVersion } from "@penstock/model";
import { type ObjectValue, planQuery, QueryRunner } from "@penstock/rules";
import { loadDevices } from "@penstock/testkit";
import { eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

/** Tells each reading with its moment, which is what the others are held against. */
const record = "SELECT samples AS s, tstamp() AS ms, microsecond(now()) AS part, lag(samples) AS before FROM `load-01`";
const rules: Readonly<Record<string, string>> = {
  record,
  tumbling:
    "SELECT count(*) AS n, min(samples) AS low, max(samples) AS high, window_end() AS at FROM `load-01` GROUP BY TUMBLINGWINDOW(ss, 1)",
  sliding: "SELECT collect(samples) AS all FROM `load-01` GROUP BY SLIDINGWINDOW(ms, 700)",
  count: "SELECT sum(samples) AS s, last_agg_hit_count() AS n FROM `load-01` GROUP BY COUNTWINDOW(9, 4)",
  total: "SELECT samples AS s, acc_sum(samples) AS total, acc_count(samples) AS n FROM `load-01`",
  join: "SELECT count(*) AS n, sum(x.samples) AS a, sum(y.samples) AS b FROM `load-01` AS x LEFT JOIN `load-01` AS y ON y.samples = x.samples + 2 GROUP BY TUMBLINGWINDOW(ss, 1)",
};
/** The same in the readings' own time, as it is told by the first of them. */
const eventTime = { lateTolerance: "300ms", idleAfter: "1s" };
const eventRecord = "SELECT samples AS s, event_time() AS at, lag(samples) AS before FROM `load-01`";
const eventRules: Readonly<Record<string, string>> = {
  "event-record": eventRecord,
  "event-tumbling":
    "SELECT count(*) AS n, min(samples) AS low, max(samples) AS high, window_end() AS at FROM `load-01` GROUP BY TUMBLINGWINDOW(ss, 1)",
  "event-join":
    "SELECT count(*) AS n, sum(x.samples) AS a, sum(y.samples) AS b FROM `load-01` AS x LEFT JOIN `load-01` AS y ON y.samples = x.samples + 2 GROUP BY HOPPINGWINDOW(ss, 2, 1)",
};

type Outputs = Map<string, string>;

/** Results by rule and number, each once; how many lines were repeats, and those that were not the same. */
function resultsIn(path: string): { results: Outputs; repeats: number; clashes: string[] } {
  const results: Outputs = new Map();
  let repeats = 0;
  const clashes: string[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (!line.includes('"A rule gave"')) continue;
    const { rule, number, row } = JSON.parse(line) as { rule: string; number: number; row: string };
    const key = `${rule} ${number}`;
    const before = results.get(key);
    if (before !== undefined) repeats++;
    if (before !== undefined && before !== row) clashes.push(`${key}: ${before}, then ${row}`);
    results.set(key, row);
  }
  return { results, repeats, clashes };
}

/** Rules that nobody disturbs, and what they give. */
function running(rules: Readonly<Record<string, string>>, out: Outputs) {
  const host = {
    ...{ digest: () => new Uint8Array(), compress: () => new Uint8Array(), decompress: () => new Uint8Array() },
    ...{ random: () => 0.5, uuid: () => "" },
  };
  return Object.entries(rules).map(([name, sql]) => {
    const plan = planQuery({
      ...{ sql, mode: "strict", host, timeZone: "UTC", offsetAt: () => 0, ruleId: name, startedAt: 0 },
      catalog: (stream) => ({ name: stream, columns: new Map([["samples", { t: "bigint" }]]) }),
    });
    const runner = new QueryRunner(plan, {
      rows: ([row], number) => out.set(`${name} ${number}`, shown(row!)),
      error: (error) => assert.fail(error),
    });
    return {
      runner,
      push(s: number | null, at: number) {
        for (const { source, columns } of plan.sources)
          runner.push({ at, source, values: columns.map(() => (s === null ? null : BigInt(s))) }, at);
      },
    };
  });
}

/** What rules that nobody disturbs make of the readings that were recorded. */
function undisturbed(results: Outputs): Outputs {
  const out: Outputs = new Map();
  const all = running(rules, out);
  for (let number = 1; results.has(`record ${number}`); number++) {
    const { s, ms, part } = JSON.parse(results.get(`record ${number}`)!) as {
      s: number | null;
      ms: number;
      part: number;
    };
    const now = Math.floor(ms / 1000) * 1_000_000 + part;
    for (const { runner, push } of all) {
      for (let due = runner.due(); due !== null && due <= now; due = runner.due()) runner.tick(due, due);
      push(s, now);
    }
  }
  const inTheirTime = running(eventRules, out);
  for (let number = 1; results.has(`event-record ${number}`); number++) {
    const { s, at } = JSON.parse(results.get(`event-record ${number}`)!) as { s: number | null; at: number };
    for (const { runner, push } of inTheirTime) {
      runner.tick(at * 1000, at * 1000);
      push(s, at * 1000);
    }
  }
  return out;
}

const shown = (row: ObjectValue) =>
  JSON.stringify(row, (_name, value) => (typeof value === "bigint" ? Number(value) : (value as unknown)));

test("rules killed in the middle of their windows give what undisturbed ones give, repeats removed by number", async () => {
  const plant = await bench.startPlant(["--values", "4"]);
  const cloud = await bench.startCloud();
  const logPath = join(bench.folder, "gw-01.log");
  let edge = await bench.startEdge(cloud, "gw-01", { logPath });
  const { host, port } = plant;
  const devices = loadDevices({ host, port, node: "gw-01", values: 4, everyMs: 100 });
  const documents = Object.entries({ ...rules, ...eventRules }).map(([name, sql]) => ({
    ...{ apiVersion, kind: "Rule", metadata: { name } },
    spec: { nodes: ["gw-01"], sql, actions: [{ log: {} }], ...(name in eventRules && { eventTime }) },
  }));
  const apply = async (all: readonly unknown[]) => {
    const input = all.map((one) => JSON.stringify(one)).join("\n---\n");
    const applied = await bench.run(["apply", "-f", "-"], { input });
    assert.equal(applied.code, 0, applied.stderr);
  };
  // While the gateway is away: it gets all in one set, and no rule sees a row that another does not.
  await edge.process.kill();
  await apply([...devices, ...documents]);
  edge = await bench.startAgent("gw-01", { logPath });

  const readings = () => [...resultsIn(logPath).results.keys()].filter((key) => key.startsWith("record ")).length;
  await eventually("the first readings", () => readings() >= 15);
  for (const more of [13, 22, 17, 9]) {
    const before = readings();
    await edge.process.kill();
    edge = await bench.startAgent("gw-01", { logPath });
    await eventually("readings after the kill", () => readings() >= before + more);
  }
  const expected = undisturbed(resultsIn(logPath).results);
  const { results, repeats, clashes } = await eventually("the results of the last readings", () => {
    const found = resultsIn(logPath);
    return [...expected.keys()].every((key) => found.results.has(key)) && found;
  });
  assert.deepEqual(clashes, []);
  for (const [key, row] of expected) assert.equal(results.get(key), row, key);
  for (const rule of [...Object.keys(rules), ...Object.keys(eventRules)])
    assert.ok(expected.has(`${rule} 4`), `too few results of ${rule}`);
  assert.ok(repeats > 0, "no result came twice: nothing was taken up again");
  await plant.process.kill();
});
