import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChildExit, systemChildProcesses } from "./child-process.ts";
import { LineSplitter } from "./child-process-lines.ts";

const node = process.execPath;

function ended(child: { onExit(listener: (exit: ChildExit) => void): void }): Promise<ChildExit> {
  return new Promise((resolve) => child.onExit(resolve));
}

test("systemChildProcesses.spawn() carries bytes both ways over descriptor 3 and tells the exit code", async () => {
  const program = `const net = require("node:net"); const p = new net.Socket({ fd: 3 });
    p.on("data", (d) => { p.write(Buffer.from(d).reverse()); }); p.on("end", () => process.exit(7));`;
  const child = systemChildProcesses.spawn({ command: node, args: ["-e", program] });
  const answer = new Promise<Uint8Array>((resolve) => child.pipe.onData(resolve));
  child.pipe.write(Uint8Array.of(1, 2, 3));
  assert.deepEqual([...(await answer)], [3, 2, 1]);
  const closed = new Promise<void>((resolve) => child.pipe.onClose(resolve));
  child.pipe.close();
  await closed;
  assert.deepEqual(await ended(child), { code: 7, signal: null, error: null });
});

test("systemChildProcesses.spawn() gives lines, hands arguments over unread by any shell and no foreign variables", async () => {
  process.env.PENSTOCK_TEST_SECRET = "s3cret";
  const program = `console.log(process.argv[1]); console.error(String(process.env.PENSTOCK_TEST_SECRET), process.env.GIVEN)`;
  const child = systemChildProcesses.spawn({
    command: node,
    args: ["-e", program, "$(echo owned); `id`"],
    env: { GIVEN: "yes" },
  });
  delete process.env.PENSTOCK_TEST_SECRET;
  const lines: string[] = [];
  const both = new Promise<void>((resolve) => {
    child.onLine((line, from) => {
      if (lines.push(`${from} ${line}`) === 2) resolve();
    });
  });
  await Promise.all([ended(child), both]);
  assert.deepEqual(lines.sort(), ["stderr undefined yes", "stdout $(echo owned); `id`"]);
});

test("systemChildProcesses.spawn() tells through onExit that a program does not exist, also to a late listener", async () => {
  const child = systemChildProcesses.spawn({ command: "/nowhere/at-all", args: [] });
  assert.equal(child.pid, null);
  assert.match(String((await ended(child)).error), /ENOENT/);
  assert.match(String((await ended(child)).error), /ENOENT/);
  child.pipe.write(Uint8Array.of(1));
});

test("Child.kill() with SIGKILL ends a program that ignores everything else", async () => {
  const program = `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")`;
  const child = systemChildProcesses.spawn({ command: node, args: ["-e", program] });
  await new Promise<void>((resolve) => child.onLine(() => resolve()));
  child.kill("SIGTERM");
  child.kill("SIGKILL");
  assert.deepEqual(await ended(child), { code: null, signal: "SIGKILL", error: null });
});

test("LineSplitter keeps at most 8 kB of a line and joins characters cut between chunks", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const euro = new TextEncoder().encode("a€b\r\n");
  splitter.push(euro.subarray(0, 2));
  splitter.push(euro.subarray(2));
  for (let i = 0; i < 100; i++) splitter.push(new Uint8Array(1000).fill(0x78));
  splitter.push(new TextEncoder().encode("y\nlast"));
  splitter.end();
  assert.deepEqual(
    lines.map((line) => (line.length > 100 ? line.length : line)),
    ["a€b", 8192, "last"],
  );
});
