import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { manifestText } from "@penstock/mapper-sdk";
import type { DeviceUid, Micros, Reading } from "@penstock/model";
import { readingsOf } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemChildProcesses, systemClock } from "@penstock/runtime";
import { createBus } from "../bus/bus.ts";
import { createCollect } from "./collect.ts";
import { tally } from "./test/tally/index.ts";
import { assigned, connection, device, property } from "./test/test-set.ts";

const plc = "plc" as DeviceUid;
const { signal } = new AbortController();
/** for a machine that is busy with other tests: then timers, and the agent, are late */
const spareMs = 2000;

/** The real host in a real process: what the in-memory mapper of the other tests cannot prove. */
test("collect with a real mapper process: values, a write, kill -9, bad quality, a new process, good again, no process left", async (t) => {
  // Below this package, so that the mapper finds the kit.
  const folder = await mkdtemp(join(import.meta.dirname, "test/run-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "mapper.json"), manifestText({ manifest: { ...tally.manifest, main: "./index.ts" } }));
  await writeFile(join(folder, "index.ts"), `export { tally } from "../tally/index.ts";\n`);

  const clock = systemClock();
  const metrics = metricsRegistry();
  const bus = createBus({ log: silentLog, metrics });
  const seen: Reading[] = [];
  let look = () => {};
  bus.subscribe({
    name: "test",
    bound: 100,
    policy: "wait",
    take: (batch) => {
      seen.push(...readingsOf(batch));
      look();
    },
  });
  const until = (isIt: (reading: Reading) => boolean): Promise<Reading> => {
    seen.length = 0;
    return new Promise((resolve) => {
      look = () => {
        const found = seen.find(isIt);
        if (found !== undefined) resolve(found);
      };
    });
  };
  const offset = clock.now() - clock.monotonic();
  const collect = createCollect({
    ...{ bus, clock, metrics, files: realFiles(), processes: systemChildProcesses, log: silentLog },
    wallOf: (monotonic) => ({ time: (monotonic + offset) as Micros, uncertain: null }),
    mapperFolders: [folder],
    mapperData: join(folder, "data"),
    hostCommand: {
      command: process.execPath,
      args: [join(import.meta.dirname, "../../../mapper-host/src/main.ts")],
    },
  });
  t.after(() => collect.close());
  const read = (name: string, of: string, access: "read" | "readWrite" = "read") =>
    property(name, { type: "int32", visitor: { of }, collect: { everyMs: 20 }, access });
  const properties = [read("pid", "pid"), read("level", "level", "readWrite")];
  collect.apply(assigned([device("plc", properties)], [connection("bus-a", { protocol: "tally" })]));

  const first = await until((r) => r.property === "pid" && r.quality === "good");
  assert.equal(first.value, collect.mappers()[0]?.pid);
  assert.ok(Math.abs(first.time - Date.now() * 1000) < 2_000_000);

  await collect.access.write(plc, [{ property: "level", value: 42 }], signal);
  assert.equal(await collect.access.read(plc, "level", signal), 42);
  assert.equal((await until((r) => r.property === "level" && r.value === 42)).quality, "good");
  await assert.rejects(collect.access.write(plc, [{ property: "pid", value: 1 }], signal), {
    code: "mapper/value-refused",
  });

  process.kill(Number(first.value), "SIGKILL");
  const bad = await until((r) => r.quality === "bad");
  assert.deepEqual([bad.value, bad.reason], [null, "mapper/stopped"]);
  assert.equal(collect.devices()[0]?.state, "offline");
  const second = await until((r) => r.property === "pid" && r.quality === "good");
  assert.notEqual(second.value, first.value);
  assert.deepEqual(
    [collect.devices()[0]?.state, collect.mappers()[0]?.state, collect.mappers()[0]?.restarts],
    ["online", "running", 1],
  );

  // Alive and silent, as after an endless loop in a driver: found out in less than 3 s, and replaced.
  process.kill(Number(second.value), "SIGSTOP");
  const stoppedAt = clock.monotonic();
  assert.equal((await until((r) => r.quality === "bad")).reason, "mapper/stopped");
  const tookMs = (clock.monotonic() - stoppedAt) / 1000;
  assert.ok(tookMs > 1000 && tookMs < 3000 + spareMs, `${tookMs} ms`);
  assert.deepEqual([collect.devices()[0]?.state, collect.devices()[0]?.reason], ["offline", "mapper/stopped"]);
  const third = await until((r) => r.property === "pid" && r.quality === "good");
  assert.notEqual(third.value, second.value);

  await collect.close();
  for (const pid of [second, third]) assert.throws(() => process.kill(Number(pid.value), 0), { code: "ESRCH" });
});
