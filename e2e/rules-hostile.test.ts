import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type CloudProcess, type EdgeProcess, eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await bench.close();
});

const cycleMs = 100;
const phaseMs = 3000;
const lastProcessor = /^Cpus_allowed_list:.*?(\d+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
/** In a plant these run on machines of their own: what they need to make their messages the gateway does not lack. */
const elsewhere = ["taskset", "-c", lastProcessor, "chrt", "--idle", "0"];
const password = "Zq7vTwinRiver42";
let cloud: CloudProcess;
let edge: EdgeProcess;
/** when reads came to the plant, milliseconds of its clock */
const reads: number[] = [];
/** when the plant had to wait for the machine, and how long */
const stalls: { readonly at: number; readonly ms: number }[] = [];
/** the largest pause between reads while nothing disturbs */
let calmMs = 0;

function program(name: string, args: readonly string[] = [], before: readonly string[] = []) {
  const [command, ...rest] = [...before, process.execPath, join(root, "e2e/support", name), ...args];
  const child = spawn(command!, rest, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  return child;
}
async function applied(...documents: readonly object[]): Promise<void> {
  const input = documents.map((one) => JSON.stringify({ apiVersion: "penstock.dev/v1", ...one })).join("\n---\n");
  const { code, stderr, stdout } = await bench.run(["apply", "-f", "-"], { input });
  assert.equal(code, 0, stderr + stdout);
}
const rule = (name: string, sql: string, more: object = {}) => ({
  ...{ kind: "Rule", metadata: { name } },
  spec: { nodes: ["gw-01"], sql, actions: [{ memory: { stream: `of-${name}` } }], ...more },
});
const good = "SELECT level FROM `tank-01`";
const stateOf = async (name: string) =>
  (await cloud.client.rules.get({ params: { tenant: "default", name } })).status.nodes[0]!;

/**
 * @returns the largest pause between reads while `work` goes on, and for as long after it as a phase lasts; what the plant
 * had to wait for the machine itself is no pause of the gateway's
 */
async function largestPause(work: () => Promise<void>): Promise<number> {
  const from = reads.length - 1;
  await work();
  await sleep(phaseMs);
  const seen = reads.slice(from);
  assert.ok(seen.length > 5, "the plant is read");
  const pauses = seen.slice(1).map((to, place) => {
    const since = seen[place]!;
    const waited = stalls.filter(({ at }) => at > since && at <= to).reduce((sum, { ms }) => sum + ms, 0);
    return to - since - waited;
  });
  return Math.max(...pauses);
}

before(async () => {
  const plant = program("busy-plant.ts");
  const port = await new Promise<number>((found) => {
    createInterface(plant.stdout).on("line", (line) => {
      if (line.startsWith("{")) found((JSON.parse(line) as { port: number }).port);
      else {
        const [what, at, ms] = line.split(" ");
        if (what === "read") reads.push(Number(at));
        else stalls.push({ at: Number(at), ms: Number(ms) });
      }
    });
  });
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01");
  const visitor = { table: "holding", offset: 0, raw: "uint16" };
  await applied(
    {
      ...{ kind: "Node", metadata: { name: "gw-01" } },
      spec: {
        mqtt: {
          anonymous: "none",
          users: { flood: { password, publish: ["flood/#"] }, none: { password, publish: ["other/#"] } },
        },
      },
    },
    {
      ...{ kind: "Connection", metadata: { name: "plant" } },
      spec: { node: "gw-01", protocol: "modbus", settings: { host: "127.0.0.1", port } },
    },
    {
      ...{ kind: "Device", metadata: { name: "tank-01" } },
      spec: {
        ...{ node: "gw-01", connection: "plant", address: { unitId: 1 } },
        properties: { level: { type: "int32", visitor, collect: { every: `${cycleMs}ms` } } },
      },
    },
    rule("good", good),
    rule("flooded", "SELECT count(*) AS n FROM flood GROUP BY TUMBLINGWINDOW(ss, 1)", {
      sources: { flood: { mqtt: { topic: "flood/#" } } },
    }),
  );
  await eventually("reads", () => reads.length > 20);
  // Of the same act with rules that harm nobody: the command and the cloud need the machine too.
  calmMs = await largestPause(() => applied(...["a", "b", "c"].map((name) => rule(`calm-${name}`, good))));
});

/** No more than a cycle later than with rules that harm nobody. */
function assertOnTime(pauseMs: number, what: string): void {
  const most = Math.max(calmMs, cycleMs) + cycleMs;
  console.error(`${what}: largest pause ${pauseMs.toFixed(0)} ms, undisturbed ${calmMs.toFixed(0)} ms`);
  assert.ok(pauseMs <= most, `${what}: ${pauseMs} ms between two reads, undisturbed ${calmMs} ms`);
}
async function assertGoodRuns(): Promise<void> {
  const { rowsOut } = await stateOf("good");
  await eventually("the other rule to go on", async () => (await stateOf("good")).rowsOut > rowsOut);
}

const many = (of: (at: number) => string) => Array.from({ length: 60 }, (_, at) => `${of(at)} AS c${at}`).join(", ");
const hostile = [
  rule("rows", "SELECT unnest(sequence(1, 2000 + level)) AS x FROM `tank-01`"),
  rule("cross", "SELECT count(*) AS n FROM a INNER JOIN b ON a.x < b.x GROUP BY TUMBLINGWINDOW(ss, 1)", {
    sources: { a: { memory: {} }, b: { memory: {} } },
  }),
  rule(
    "texts",
    `SELECT ${many((at) => `length(array_join(repeat('abcdefgh', 60000 + level), '${at}'))`)} FROM \`tank-01\``,
  ),
  rule(
    "patterns",
    `SELECT ${many((at) => `regexp_matches(array_join(repeat('a', 8000 + level), ''), '(a?){90}b${at}')`)} FROM \`tank-01\``,
  ),
  rule("sequences", `SELECT ${many(() => "cardinality(sequence(1, 65000 + level))")} FROM \`tank-01\``),
];
// Their names are streams of the join.
const feeds = { actions: [{ memory: { stream: "a" } }, { memory: { stream: "b" } }] };

test("hostile rules hold up collecting by less than a cycle, and are bounded or stopped with the reason", async () => {
  const pause = await largestPause(() =>
    applied(
      ...hostile.map((one) => (one.metadata.name === "rows" ? { ...one, spec: { ...one.spec, ...feeds } } : one)),
    ),
  );
  assertOnTime(pause, "hostile rules");
  for (const { metadata } of hostile.slice(1)) {
    const { state, reason, errors, lastError } = await eventually(`${metadata.name} to be bounded`, async () => {
      const found = await stateOf(metadata.name);
      return found.errors > 0 && found;
    });
    console.error(metadata.name, state, reason, errors, lastError);
    assert.ok(state === "running" || reason === "rules/over-budget", `${metadata.name} is ${state}: ${reason}`);
  }
  await assertGoodRuns();
  await bench.run(["delete", "rule", ...hostile.map(({ metadata }) => metadata.name)]);
});

test("clients that flood the gateway's MQTT hold up collecting by less than a cycle, with rights and without", async () => {
  let rows = 0;
  const pause = await largestPause(async () => {
    const floods = ["flood", "none"].map((user) =>
      program("mqtt-flood.ts", [edge.mqttAddress, user, password, "flood/a"], elsewhere),
    );
    await sleep(phaseMs);
    rows = await eventually("rows of the flood", async () => {
      const { rowsIn } = await stateOf("flooded");
      return rowsIn > 100 && rowsIn;
    });
    for (const one of floods) one.stdin!.end();
  });
  console.error(`rows of the flood: ${rows}`);
  assertOnTime(pause, "flood");
  await assertGoodRuns();
});

test("five hundred rules at once hold up collecting by less than a cycle", async () => {
  const all = Array.from({ length: 500 }, (_, at) =>
    rule(`many-${at}`, `SELECT cardinality(sequence(${at}, 5000 + level)) AS n FROM \`tank-01\``),
  );
  const pause = await largestPause(() => applied(...all));
  assertOnTime(pause, "500 rules");
  await assertGoodRuns();
});
