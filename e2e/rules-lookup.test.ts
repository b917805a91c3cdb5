// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns that are asked by
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { apiVersion } from "@penstock/model";
import { loadDevices, needs } from "@penstock/testkit";
import { createClient } from "@redis/client";
import pg from "pg";
import { redisServer } from "../packages/edge/src/rules/sinks/redis/fake-redis.ts";
import { postgres } from "../packages/edge/src/rules/sinks/sql/fake-databases.ts";
import { type CloudProcess, type EdgeProcess, eventually, TestBench } from "./support/penstock.ts";

/** Rules that join readings with tables of the plant's own servers, while these come and go. */
const needed = needs("redis-server", "postgresql");
const bench = new TestBench();
const logPath = join(bench.folder, "gw-01.log");
const password = "Vn4kQuietHarbour81";
const login = ["--requirepass", password];
let cloud: CloudProcess;
let edge: EdgeProcess;
let redis: Awaited<ReturnType<typeof redisServer>>;
let database: Awaited<ReturnType<typeof postgres>>;

interface Row {
  readonly s: number;
  readonly name: string | null;
  readonly line: string | null;
}

/** Results by number, and those whose number had another content before. */
function results(rule: string) {
  const found = new Map<number, Row>();
  const texts = new Map<number, string>();
  const clashes: string[] = [];
  for (const text of readFileSync(logPath, "utf8").split("\n")) {
    if (!text.includes('"A rule gave"')) continue;
    const { rule: of, number, row } = JSON.parse(text) as { rule: string; number: number; row: string };
    if (of !== rule) continue;
    if (texts.has(number) && texts.get(number) !== row) clashes.push(`${number}: ${texts.get(number)}, then ${row}`);
    texts.set(number, row);
    found.set(number, JSON.parse(row) as Row);
  }
  return { found, rows: [...found.values()], clashes };
}

async function fill(): Promise<void> {
  const client = await createClient({ url: `redis://127.0.0.1:${redis.port}`, password }).connect();
  for (const id of [0, 1]) await client.hSet(`batch:${id}`, { name: `batch ${id}` });
  client.destroy();
}

const sources = () => ({
  batches: {
    lookup: {
      redis: { url: `redis://127.0.0.1:${redis.port}`, password, key: "batch:${id}", as: "hash" },
      ttl: "200ms",
      timeout: "1s",
    },
  },
  lines: {
    lookup: { sql: { url: `postgres://127.0.0.1:${database.port}/postgres`, user: "plant", table: "line" }, ttl: "1s" },
    columns: "name string, line string",
  },
});
const rule = (name: string, spec: object) => ({
  ...{ apiVersion, kind: "Rule", metadata: { name } },
  spec: { nodes: ["gw-01"], actions: [{ log: {} }], sources: sources(), ...spec },
});
const sql =
  "SELECT d.samples AS s, b.name AS name, l.line AS line FROM `load-01` AS d LEFT JOIN batches AS b ON d.samples % 3 = b.id LEFT JOIN `lines` AS l ON b.name = l.name";
const statusOf = async (name: string) =>
  (await cloud.client.rules.get({ params: { tenant: "default", name } })).status.nodes[0];

before(async () => {
  if (needed.skip !== undefined) return;
  [redis, database] = await Promise.all([redisServer(undefined, login), postgres()]);
  await fill();
  const asker = new pg.Client({ host: "127.0.0.1", port: database.port, user: "plant", database: "postgres" });
  await asker.connect();
  await asker.query("CREATE TABLE line (name text, line text); INSERT INTO line VALUES ('batch 1', 'north')");
  await asker.end();
  const plant = await bench.startPlant(["--values", "4"]);
  cloud = await bench.startCloud();
  edge = await bench.startEdge(cloud, "gw-01", { logPath });
  const devices = loadDevices({ host: plant.host, port: plant.port, node: "gw-01", values: 4, everyMs: 100 });
  const window = `SELECT count(*) AS n, collect(b.name) AS names FROM \`load-01\` AS d INNER JOIN batches AS b ON d.samples % 3 = b.id GROUP BY TUMBLINGWINDOW(ss, 1)`;
  const documents = [...devices, rule("named", { sql }), rule("window", { sql: window })];
  const applied = await bench.run(["apply", "-f", "-"], {
    input: documents.map((one) => JSON.stringify(one)).join("\n---\n"),
  });
  assert.equal(applied.code, 0, applied.stderr);
});
after(async () => {
  await bench.close();
  await redis?.close();
  await database?.close();
});

test("readings are joined with Redis and PostgreSQL, row by row and in windows", needed, async () => {
  const rows = await eventually("named rows", () => {
    const { rows: found } = results("named");
    return found.length >= 12 && found;
  });
  for (const { s, name, line } of rows) {
    const id = s % 3;
    assert.equal(name, id === 2 ? null : `batch ${id}`, `row ${s}`);
    assert.equal(line, id === 1 ? "north" : null);
  }
  for (const [at, { s }] of rows.entries()) assert.equal(s, rows[0]!.s + at, "in their order, none left out");
  await eventually("a window", () => results("window").found.size >= 2);
  const status = await eventually("its status", async () => {
    const told = await statusOf("named");
    return told?.state === "running" && told;
  });
  assert.equal(status.errors, 0);
});

test(
  "while a server is away rows go on without it, and the rule says so; with it back they have its rows",
  needed,
  async () => {
    const { port } = redis;
    await redis.stop();
    await eventually("rows without a name", () =>
      results("named")
        .rows.slice(-6)
        .every(({ name }) => name === null),
    );
    const status = await eventually("errors in the status", async () => {
      const found = await statusOf("named");
      return found !== undefined && found.errors > 0 && found;
    });
    assert.equal(status.state, "running");
    assert.match(status.lastError!, /Cannot look up in "batches": Cannot (reach|ask) /);
    await redis.close();
    redis = await redisServer(port, login);
    await fill();
    await eventually("names again", () =>
      results("named")
        .rows.slice(-6)
        .some(({ name }) => name === "batch 1"),
    );
  },
);

test("killed while it asks, the gateway gives again what it gave, number by number", needed, async () => {
  for (const more of [9, 14, 11]) {
    const before = results("named").found.size;
    await edge.process.kill();
    edge = await bench.startAgent("gw-01", { logPath });
    await eventually("rows after the kill", () => results("named").found.size >= before + more);
  }
  for (const name of ["named", "window"]) {
    const { found, clashes } = results(name);
    assert.deepEqual(clashes, []);
    const numbers = [...found.keys()].sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from(numbers, (_, at) => at + 1),
    );
  }
});

test("the password stands in no file of the gateway, and nobody is shown it", needed, async () => {
  const files = readdirSync(bench.folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  assert.ok(files.some((one) => one.name === "gw-01.log") && files.length > 10);
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    assert.ok(!readFileSync(path).includes(password), path);
  }
  const shown = await bench.run(["get", "rule", "named", "-o", "yaml"]);
  assert.match(shown.stdout, /lookup:/);
  assert.ok(!shown.stdout.includes(password), "shown to people");
});

test(
  "a trial asks nobody: typed-in rows are what a lookup table answers, and without them it says so",
  needed,
  async () => {
    const file = join(bench.folder, "rows.json");
    const run = (rows: readonly object[]) => {
      writeFileSync(file, JSON.stringify(rows));
      return bench.run(["rule", "test", "named", "--rows", file]);
    };
    const reading = { stream: "load-01", values: { samples: 4 } };
    const given = await run([
      { stream: "batches", values: { id: 1, name: "typed" } },
      { stream: "lines", values: { name: "typed", line: "south" } },
      reading,
    ]);
    assert.equal(given.code, 0, given.stderr);
    assert.match(given.stdout, /load-01 +\{"s":4,"name":"typed","line":"south"\}/);
    const none = await run([reading]);
    assert.match(
      none.stdout,
      /\{"s":4,"name":null,"line":null\}.*a trial asks nobody; type in rows with stream "batches"/,
    );
  },
);

test("a lookup table that nobody can ask is refused by field, value and rule", needed, async () => {
  const refused = async (lookup: object, more: object = {}) => {
    const document = rule("bad", { sql: "SELECT * FROM `load-01`", sources: { x: { lookup, ...more } } });
    const { code, stderr } = await bench.run(["apply", "-f", "-"], { input: JSON.stringify(document) });
    assert.notEqual(code, 0);
    return stderr;
  };
  assert.match(await refused({}), /spec\.sources\.x\.lookup.*must state one of redis, sql, http/s);
  assert.match(await refused({ http: { url: "ftp://x" } }), /lookup\.http\.url.*must be http/s);
  const login = { sql: { url: "postgres://u:p@h/d", table: "t" } };
  assert.match(await refused(login), /lookup\.sql\.url.*must have no user and password/s);
  assert.match(await refused({ http: { url: "http://h" }, timeout: "2h" }), /lookup\.timeout.*50ms to 1m/s);
  assert.match(await refused({ http: { url: "http://h" } }, { table: {} }), /sources\.x\.table.*must not be stated/s);
});
