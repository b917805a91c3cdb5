import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { plantDevices } from "@penstock/testkit";
import { eventually, root, TestBench } from "./support/penstock.ts";
import { firstOfEachFile, readTrace, type TraceLine } from "./support/trace-log.ts";

const bench = new TestBench();
after(() => bench.close());

/** The files of the numbered list below a heading of ARCHITECTURE.md, relative to packages/. */
function walkOf(heading: string): string[] {
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const [, body] = text.split(`\n${heading}\n`);
  assert.ok(body !== undefined, `ARCHITECTURE.md has no heading "${heading}"`);
  const until = /\n##/.exec(body)?.index ?? body.length;
  const files = [...body.slice(0, until).matchAll(/^\d+\. `packages\/([^`]+)`/gm)].map((match) => match[1]!);
  for (const file of files)
    assert.ok(existsSync(join(root, "packages", file)), `${file} is on the walk and nowhere else`);
  return files;
}

/**
 * Holds the trace of one value against the walk. Two processes write two logs: the list must be an order in which they can
 * be merged, so each keeps its own order, none has a file that the list does not know, and time never goes back.
 */
function assertWalked(walk: readonly string[], lines: readonly TraceLine[]): void {
  const steps = firstOfEachFile(lines);
  for (const program of ["edge", "cloud"]) {
    const own = steps.filter((step) => step.program === program).map(({ file }) => file);
    assert.deepEqual(
      own,
      walk.filter((file) => own.includes(file)),
      `order of the files that ${program} logged`,
    );
  }
  const byFile = new Map(steps.map((step) => [step.file, step]));
  assert.deepEqual([...byFile.keys()].sort(), [...walk].sort(), "files that logged, and files of the walk");
  const times = walk.map((file) => byFile.get(file)!.time);
  assert.deepEqual(times, [...times].sort(), "times along the walk");
}

test("one reading and one set value pass the files of ARCHITECTURE.md, in that order", async () => {
  const plant = await bench.startPlant();
  const logs = { cloud: join(bench.folder, "cloud.log"), edge: join(bench.folder, "edge.log") };
  const args = ["--log-level", "trace"];
  const cloud = await bench.startCloud({ args, logPath: logs.cloud });
  await bench.startEdge(cloud, "gw-01", { args, logPath: logs.edge });
  const documents = plantDevices({ host: plant.host, port: plant.port, node: "gw-01" });
  const applied = await bench.run(["apply", "-f", "-"], {
    input: documents.map((d) => JSON.stringify(d)).join("\n---\n"),
  });
  assert.equal(applied.code, 0, applied.stderr);
  const traced = () => [...readTrace(logs.edge), ...readTrace(logs.cloud)];

  // A reading that came while the stream was open, since only such a one goes all the way.
  const device = await cloud.client.devices.get({ params: { tenant: "default", name: "tank-01" } });
  const stop = new AbortController();
  const streaming = cloud.client.live.stream({
    params: { tenant: "default" },
    query: { device: ["tank-01"] },
    signal: stop.signal,
  });
  const reading = await (async () => {
    for (let seen = 0; ; ) {
      const { value, done } = await streaming.next();
      assert.ok(done !== true);
      if (value.event === "readings" && ++seen === 3) return value.data.readings[0]!;
    }
  })();
  stop.abort();
  const id = `${device.metadata.uid}@${Date.parse(reading.time) * 1000 + Number(reading.time.slice(-4, -1))}`;
  const up = await eventually("the reading's last line", () => {
    const lines = traced().filter((line) => line.id === id);
    return lines.some(({ file }) => file === "cloud/src/http/event-stream.ts") && lines;
  });
  assertWalked(walkOf("## One reading, up"), up);

  const set = await bench.run(["set", "conveyor-01", "speed", "42"]);
  assert.equal(set.code, 0, set.stderr);
  const conveyor = await cloud.client.devices.get({ params: { tenant: "default", name: "conveyor-01" } });
  const value = `${conveyor.metadata.uid}/speed#1`;
  const lines = await eventually("the answer's line", () => {
    const found = traced().filter((line) => line.id === value);
    return found.some(({ file, state }) => file === "cloud/src/http/handlers.ts" && state === "confirmed") && found;
  });
  const isDown = ({ state }: TraceLine) => state === undefined;
  assertWalked(walkOf("## One set value, down"), lines.filter(isDown));
  assertWalked(
    walkOf("### The proof, back up"),
    lines.filter(({ state }) => state === "confirmed"),
  );
});
