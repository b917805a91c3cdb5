import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { plantMain } from "./plant/index.ts";
import { KillableProcess } from "./process-killer.ts";

const node = process.execPath;
function script(code: string, readyMs = 20_000): KillableProcess {
  return new KillableProcess({ name: "script", command: node, args: ["-e", code], readyMs });
}
function isAlive(pid: number): boolean {
  try {
    // A dead orphan stays as a zombie until init gets round to it.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
async function untilDead(pid: number): Promise<void> {
  for (let i = 0; isAlive(pid); i++) {
    assert.ok(i < 500, `process ${pid} is still alive`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("KillableProcess starts, kills and restarts the plant, and notes how each life ended", async () => {
  const plant = new KillableProcess({ name: "plant", command: node, args: [plantMain, "--port", "0"] });
  const first = (await plant.start()) as { pid: number; port: number };
  assert.equal(first.pid, plant.pid);
  assert.ok(first.port > 0);
  await assert.rejects(plant.start(), /it is running/);
  const second = (await plant.restart()) as { pid: number };
  assert.notEqual(second.pid, first.pid);
  assert.deepEqual(await plant.stop(), { code: 0, signal: null });
  assert.deepEqual(plant.ends, [
    { code: null, signal: "SIGKILL" },
    { code: 0, signal: null },
  ]);
  assert.equal(plant.isRunning, false);
});

test("KillableProcess.start() says why a process did not come up, and leaves nothing running", async () => {
  const loud = script("console.error('no such port'); process.exit(3)");
  await assert.rejects(loud.start(), /"script": it ended with 3 before its first line; output: no such port/);
  const wrong = script("console.log('hello'); setInterval(() => {}, 1000)");
  await assert.rejects(wrong.start(), /printed "hello", not JSON/);
  const silent = script("setInterval(() => {}, 1000)", 50);
  await assert.rejects(silent.start(), /printed nothing in time/);
  const missing = new KillableProcess({ name: "none", command: "/no/such/program", args: [] });
  await assert.rejects(missing.start(), /ENOENT/);
  for (const process of [loud, wrong, silent, missing]) assert.equal(process.isRunning, false);
});

/** prints its child's pid; the child would live for ever */
const parentOfOne = `
  const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  console.log(JSON.stringify({ pid: process.pid, child: child.pid }));
  setInterval(() => {}, 1000);`;

test("KillableProcess.kill() reaches the children of the process too", async () => {
  const family = script(parentOfOne);
  const { child } = (await family.start()) as { child: number };
  await family.kill();
  await untilDead(child);
});

test("no process is left when the test itself is killed", async () => {
  const code = `
    import { KillableProcess } from ${JSON.stringify(join(import.meta.dirname, "process-killer.ts"))};
    const family = new KillableProcess({ name: "family", command: process.execPath, args: ["-e", ${JSON.stringify(parentOfOne)}] });
    console.log(JSON.stringify(await family.start()));`;
  const tester = spawn(node, ["--input-type=module-typescript", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise<string>((resolve) => tester.stdout.once("data", (text) => resolve(String(text))));
  const { pid, child } = JSON.parse(line) as { pid: number; child: number };
  assert.ok(isAlive(pid) && isAlive(child));
  tester.kill("SIGKILL");
  await untilDead(pid);
  await untilDead(child);
});

test("the plant ends when its standard input closes", async () => {
  const plant = spawn(node, [plantMain], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((resolve) => plant.stdout.once("data", resolve));
  plant.stdin.end();
  const code = await new Promise((resolve) => plant.once("exit", resolve));
  assert.equal(code, 0);
});
