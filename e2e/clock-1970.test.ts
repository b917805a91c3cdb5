import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { needs, plantDevices } from "@penstock/testkit";
import { eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

const params = { tenant: "default", device: "tank-01", property: "level" };
/** A line's cycle is one second; a busy machine may be late. */
const toleranceMs = 700;

/** As Debian's `faketime` does it, for the programs of one test only: the wall clock begins in 1970 and runs on. */
function in1970(): Record<string, string> {
  const library = spawnSync("faketime", ["-f", "@1970-01-02 00:00:00", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
  return {
    LD_PRELOAD: library.stdout.trim(),
    FAKETIME: "@1970-01-02 00:00:00",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

test(
  "a gateway whose clock says 1970 joins, collects with and without the cloud, and all its times come out right",
  needs("faketime", "mosquitto-clients"),
  async () => {
    const began = Date.now();
    const env = in1970();
    assert.match(env.LD_PRELOAD!, /libfaketime/);
    const year = "process.stdout.write(String(new Date().getUTCFullYear()))";
    const faked = spawnSync(process.execPath, ["-e", year], { env: { ...process.env, ...env }, encoding: "utf8" });
    assert.equal(faked.stdout, "1970", "the clock of a program that is started so");

    const plant = await bench.startPlant();
    const cloud = await bench.startCloud();
    const ports = { port: new URL(cloud.address).port, localPort: new URL(cloud.localAddress).port };
    const edge = await bench.startEdge(cloud, "gw-01", { env });
    const documents = plantDevices({ host: plant.host, port: plant.port, node: "gw-01" });
    const applied = await bench.run(["apply", "-f", "-"], {
      input: documents.map((d) => JSON.stringify(d)).join("\n---\n"),
    });
    assert.equal(applied.code, 0, applied.stderr);
    const last = await eventually("a good reading", async () => {
      const { properties } = await cloud.client.twins.get({ params });
      return properties.find((p) => p.property === "level" && p.reported?.quality === "good")?.reported;
    });
    assert.ok(Math.abs(Date.parse(last.time) - Date.now()) < 5000, `${last.time} is the time of the cloud`);

    // It starts again with no cloud in reach: nobody tells the time, and the readings say so where they are used at once.
    await edge.process.kill();
    await cloud.process.kill();
    const alone = await bench.startAgent("gw-01", { env });
    const arrivals = await uncertainArrivals(new URL(alone.mqttAddress), 4);

    await bench.startCloudAgain(cloud, ports);
    const set = await bench.run(["set", "conveyor-01", "speed", "42"]);
    assert.equal(set.code, 0, set.stderr);
    assert.match(set.stdout, /confirmed, read back 42/);
    const points = await eventually("the readings of the lonely time", async () => {
      const answer = await cloud.client.series.query({ params, query: { from: "1970-01-01T00:00:00Z", to: "now" } });
      const isNew = answer.points.some((point) => Date.parse(point.time) > arrivals.at(-1)! + 2 * toleranceMs);
      return isNew && answer.points;
    });
    for (const { time, quality, reason } of points) {
      assert.deepEqual([quality, reason], ["good", null], `${time} is corrected`);
      assert.ok(Date.parse(time) >= began && Date.parse(time) <= Date.now(), `${time} lies within this test`);
    }
    for (const arrived of arrivals) {
      const nearest = Math.min(...points.map((point) => Math.abs(Date.parse(point.time) - arrived)));
      assert.ok(nearest < toleranceMs, `a reading within ${nearest} ms of ${new Date(arrived).toISOString()}`);
    }
  },
);

/** When messages arrived whose values are uncertain because the clock is not set. */
async function uncertainArrivals({ hostname, port }: URL, count: number): Promise<number[]> {
  const args = ["-h", hostname, "-p", port, "-t", "penstock/default/tank-01/data"];
  const subscriber = spawn("mosquitto_sub", args);
  const arrivals: number[] = [];
  createInterface({ input: subscriber.stdout }).on("line", (line) => {
    const { quality } = JSON.parse(line) as { quality?: Record<string, { is: string; reason: string }> };
    const { is, reason } = quality?.level ?? {};
    if (is === "uncertain" && reason === "clock/not-set") arrivals.push(Date.now());
  });
  try {
    await eventually(`${count} uncertain readings at the edge`, () => arrivals.length >= count);
    return arrivals;
  } finally {
    subscriber.kill();
  }
}
