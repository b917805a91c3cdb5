import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { manifestText } from "@penstock/mapper-sdk";
import { defaultLine } from "@penstock/model";
import { type AgentToMapper, encodeMapperFrame, MapperFrameReader, type MapperToAgent } from "@penstock/wire";
import { lamp } from "../test/lamp/index.ts";

/** Starts the real process with a lamp mapper, its manifest changed as the test wants. */
async function startHost(t: TestContext, change: object = {}) {
  // Below this package, so that the copy finds the same kit.
  const folder = await mkdtemp(join(import.meta.dirname, "../test/run-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(join(import.meta.dirname, "../test/lamp"), folder, { recursive: true });
  const manifest = manifestText({ manifest: { ...lamp.manifest, ...change } });
  await writeFile(join(folder, "mapper.json"), manifest);
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "main.ts"), join(folder, "mapper.json"), join(folder, "own")],
    {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const pipe = child.stdio[3] as Socket; // a pipe in stdio is a socket
  let stderr = "";
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
  });
  pipe.on("error", () => {});
  const exit = once(child, "exit").then(([code, signal]) => ({ code, signal, stderr }));
  const reader = new MapperFrameReader<MapperToAgent>();
  async function* received() {
    for await (const chunk of pipe) yield* reader.push(chunk);
  }
  const messages = received();
  const next = async () => (await messages.next()).value as MapperToAgent | undefined;
  const tell = (message: AgentToMapper) => pipe.write(encodeMapperFrame(message));
  return { pipe, exit, next, tell };
}
const open: AgentToMapper = { t: "open", connection: "c", settings: { host: "h" }, line: defaultLine };
const group = (visitor: object): AgentToMapper => ({
  t: "group",
  group: 1,
  connection: "c",
  device: "d",
  address: {},
  points: [{ property: "a", type: "float64", visitor: { ...visitor } }],
});

test("main.ts serves one mapper over descriptor 3 and ends with 0 on stop", async (t) => {
  const { exit, next, tell } = await startHost(t);
  const hello = await next();
  assert.deepEqual([hello?.t, hello?.t === "hello" && hello.name], ["hello", "lamp"]);
  tell({ t: "ping", n: 3 });
  assert.deepEqual(await next(), { t: "pong", n: 3 });
  tell(open);
  tell(group({ value: 5 }));
  tell({ t: "read", id: 1, group: 1, deadlineMs: 5000 });
  assert.equal((await next())?.t, "connection");
  assert.equal((await next())?.t, "values");
  tell({ t: "stop" });
  assert.equal((await exit).code, 0);
});

test("main.ts ends when the agent is gone", async (t) => {
  const { pipe, exit, next } = await startHost(t);
  await next();
  pipe.destroy();
  assert.equal((await exit).code, 0);
});

test("main.ts ends with the error on stderr when a driver throws where nothing catches it", async (t) => {
  const { exit, next, tell } = await startHost(t);
  await next();
  tell(open);
  tell(group({ crashes: true }));
  tell({ t: "read", id: 1, group: 1, deadlineMs: 5000 });
  const { code, stderr } = await exit;
  assert.equal(code, 1);
  assert.match(stderr, /The lamp burst/);
});

test("main.ts refuses a mapper of another kit or name, and garbage from the agent", async (t) => {
  const newer = await startHost(t, { sdk: { min: 2, max: 3 } });
  assert.match((await newer.exit).stderr, /needs kit 2 to 3, have 1 to 1/);
  const other = await startHost(t, { name: "candle" });
  assert.match((await other.exit).stderr, /exports none of that name/);
  const garbage = await startHost(t);
  await garbage.next();
  garbage.pipe.write(Uint8Array.of(255, 255, 255, 255, 0));
  const { code, stderr } = await garbage.exit;
  assert.equal(code, 1);
  assert.match(stderr, /Cannot read mapper frame/);
});
