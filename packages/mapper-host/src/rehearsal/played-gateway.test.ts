import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { manifestText, type RehearsedPoint } from "@penstock/mapper-sdk";
import { defaultLine } from "@penstock/model";
import { systemChildProcesses } from "@penstock/runtime";
import { lamp } from "../../test/lamp/index.ts";
import { PlayedGateway } from "./played-gateway.ts";

async function play(t: TestContext, change: object = {}): Promise<PlayedGateway> {
  // Below this package, so that the copy finds the same kit.
  const folder = await mkdtemp(join(import.meta.dirname, "../../test/run-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(join(import.meta.dirname, "../../test/lamp"), folder, { recursive: true });
  await writeFile(join(folder, "mapper.json"), manifestText({ manifest: { ...lamp.manifest, ...change } }));
  const args = [join(import.meta.dirname, "../main.ts"), join(folder, "mapper.json"), join(folder, "own")];
  const gateway = new PlayedGateway(() => systemChildProcesses.spawn({ command: process.execPath, args }));
  t.after(() => gateway.take({ do: "kill" }));
  return gateway;
}
const point = (visitor: RehearsedPoint["visitor"]): RehearsedPoint => ({
  ...{ settings: { host: "h" }, line: defaultLine, address: {}, type: "float64", visitor },
});

test("PlayedGateway starts a mapper's process, uses it, kills it and starts it again", async (t) => {
  const gateway = await play(t);
  await gateway.take({ do: "start" });
  assert.deepEqual(await gateway.take({ do: "read", ...point({ value: 5 }) }), { value: 5 });
  assert.deepEqual(await gateway.take({ do: "read", ...point({ fails: "mapper/device-failure" }) }), {
    code: "mapper/device-failure",
  });
  assert.deepEqual(await gateway.take({ do: "read", ...point({ value: "five" }) }), { code: "input/invalid" });
  assert.deepEqual(await gateway.take({ do: "subscribe", ...point({}) }), { value: 0 });
  assert.equal(await gateway.take({ do: "write", value: 7, ...point({}) }), null);
  const read = gateway.take({ do: "read", ...point({ hangs: true }) });
  const write = gateway.take({ do: "write", value: 7, ...point({ hangs: true }) });
  await gateway.take({ do: "hear" });
  assert.equal(await gateway.take({ do: "kill" }), "signal SIGKILL");
  assert.deepEqual([await read, await write], [{ code: "mapper/stopped" }, { code: "mapper/stopped" }]);
  assert.deepEqual(await gateway.take({ do: "read", ...point({}) }), { code: "mapper/stopped" });
  await gateway.take({ do: "start" });
  assert.deepEqual(await gateway.take({ do: "read", ...point({ value: 6 }) }), { value: 6 });
  assert.equal(await gateway.take({ do: "stop" }), "exit 0");
});

test("PlayedGateway says what a process said that ended before its hello", async (t) => {
  const gateway = await play(t, { name: "candle" });
  await assert.rejects(gateway.take({ do: "start" }), /ended before it said hello: exit 1.*exports none of that name/s);
});
