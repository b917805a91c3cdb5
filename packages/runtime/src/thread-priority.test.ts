import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const module = JSON.stringify(new URL("./thread-priority.ts", import.meta.url));
const beside = `
  import(${module}).then(({ lowerThreadPriority }) => {
    lowerThreadPriority();
    require("node:worker_threads").parentPort.once("message", () => {}).postMessage("done");
  });
`;
/** A program of its own: what it does counts for its whole process. Prints each thread's name and nice value. */
const program = `
  const { readdirSync, readFileSync } = require("node:fs");
  const { Worker } = require("node:worker_threads");
  new Worker(${JSON.stringify(beside)}, { eval: true }).once("message", () => {
    // proc_pid_stat(5): the second field is the name in brackets, the nineteenth the nice value
    const threads = readdirSync("/proc/self/task").map((id) => {
      const [, name, rest] = /\\((.*)\\) (.*)/.exec(readFileSync("/proc/self/task/" + id + "/stat", "utf8"));
      return { name, nice: Number(rest.split(" ")[16]) };
    });
    console.log(JSON.stringify(threads));
    process.exit();
  });
`;

test("a thread that lowers its priority lowers that of the garbage collectors, and of no other thread", {
  skip: !existsSync("/proc/thread-self") && "needs Linux",
}, async () => {
  const { stdout } = await run(process.execPath, ["--eval", program]);
  const threads = JSON.parse(stdout) as { name: string; nice: number }[];
  const low = threads.filter(({ nice }) => nice > 0).map(({ name }) => name);
  assert.deepEqual(new Set(threads.map(({ nice }) => nice)), new Set([0, 5]));
  assert.ok(low.includes("V8Worker"), JSON.stringify(threads));
  assert.equal(low.filter((name) => name !== "V8Worker").length, 1, "its own");
  assert.ok(!threads.some(({ name, nice }) => name === "V8Worker" && nice === 0));
});
