import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

const bin = join(root, "packages/cli/bin/penstock.js");

test("penstock up shows page, login and live values, and ends whole", async (t) => {
  const started = performance.now();
  const up = bench.process({
    name: "up",
    command: process.execPath,
    args: [bin, "up", "--port", "0", "--local-port", "0", "--mqtt-port", "0", "-o", "json"],
  });
  const readings: { device: string; property: string; value: unknown; quality: string }[] = [];
  up.onLine((line) => {
    const parsed = JSON.parse(line);
    if (parsed.event === "reading") readings.push(parsed);
  });
  const first = (await up.start()) as {
    page: string;
    login: { user: string; password: string };
    pids: Record<string, number>;
  };
  const seen = () => new Set(readings.map((reading) => reading.device)).size;
  await eventually("values of all three devices", () => seen() === 3, 60_000);
  t.diagnostic(`first values of every device after ${Math.round(performance.now() - started)} ms; the goal is 10 s`);
  const tank = readings.find((reading) => reading.device === "tank-01" && reading.property === "level");
  assert.equal(tank?.quality, "good");
  assert.ok(typeof tank.value === "number" && tank.value > 0);
  const counter = readings.find((reading) => reading.property === "totalBottles");
  assert.equal(typeof counter?.value, "string", "64-bit integers are decimal strings");

  const page = await fetch(first.page);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>[^<]*Penstock/i);
  const login = await fetch(`${first.page}/api/v1/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: first.login.user, password: first.login.password }),
  });
  assert.equal(login.status, 200);

  // A second terminal in the same folder needs no login.
  const set = await bench.run(["set", "conveyor-01", "speed", "42"]);
  assert.equal(set.code, 0, set.stderr);
  assert.match(set.stdout, /conveyor-01\.speed = 42 m\/min confirmed, read back 42/);
  for (const file of ["login.json", "context.json"]) {
    assert.equal(statSync(join(bench.folder, "penstock-data", file)).mode & 0o077, 0, `${file} is the owner's alone`);
  }

  await up.stop();
  for (const [name, pid] of Object.entries(first.pids)) assert.ok(!existsSync(`/proc/${pid}`), `${name} is gone`);
});

test("bin/penstock.js runs on the machine's own older Node, by handing over to the workspace's", (t) => {
  const paths = (process.env.PATH ?? "").split(":").filter((path) => !path.includes("node_modules"));
  const older = paths.map((path) => join(path, "node")).find((path) => existsSync(path));
  // Every machine that ran npm has one; a machine without npm cannot have come this far.
  assert.ok(older !== undefined);
  const run = spawnSync(older, [bin, "--version"], { encoding: "utf8" });
  t.diagnostic(`ran on ${spawnSync(older, ["--version"], { encoding: "utf8" }).stdout.trim()}`);
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /^\d+\.\d+\.\d+\n$/);
});
