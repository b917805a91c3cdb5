import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { CountingProxy, needs, systemPython } from "@penstock/testkit";
import { eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

// The files of examples/ as a user applies them, against a Modbus server that is not ours.
test(
  "a second gateway and a foreign Modbus device join with the commands of the README",
  needs("python3-pymodbus"),
  async () => {
    const server = bench.process({
      name: "pymodbus",
      command: systemPython,
      args: [join(root, "packages/testkit/src/foreign/pymodbus_server.py")],
    });
    const device = (await server.start()) as { host: string; port: number };
    const proxy = await CountingProxy.listen(device);
    try {
      const cloud = await bench.startCloud();
      await bench.startEdge(cloud, "gw-01");
      await bench.startEdge(cloud, "gw-02");

      const example = readFileSync(join(root, "examples/own-device.yaml"), "utf8");
      const file = join(bench.folder, "own-device.yaml");
      writeFileSync(file, example.replace("port: 1502", `port: ${proxy.port}`));
      const applied = await bench.run(["apply", "-f", file]);
      assert.equal(applied.code, 0, applied.stderr);
      assert.match(applied.stdout, /Connection "bus-a" created\nDevice "own-device" created/);
      const again = await bench.run(["apply", "-f", file]);
      assert.match(again.stdout, /Connection "bus-a" unchanged\nDevice "own-device" unchanged/);

      const twin = await eventually("values of the foreign device", async () => {
        const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "own-device" } });
        return properties.every((p) => p.reported?.quality === "good") ? properties : null;
      });
      const value = (name: string) => twin.find((p) => p.property === name)?.reported?.value;
      assert.equal(value("temperature"), 100, "word 0 is 1000, scaled by 0.1");
      assert.equal(value("total"), 1003 * 65536 + 1002, "words 2 and 3, low word first");
      assert.equal(value("setpoint"), 1010);

      const set = await bench.run(["set", "own-device", "setpoint", "55"]);
      assert.equal(set.code, 0, set.stderr);
      assert.match(set.stdout, /own-device\.setpoint = 55 confirmed, read back 55/);

      // Offsets 0, 2..3 and 10 lie close: one request a cycle, whatever the number of properties or consumers.
      proxy.reset();
      const before = await lastTime(cloud, "own-device");
      await eventually("five more cycles", async () => (await lastTime(cloud, "own-device")) - before >= 5000);
      const cycles = ((await lastTime(cloud, "own-device")) - before) / 1000;
      const requests = proxy.requests.length;
      assert.ok(requests >= 5 && requests <= cycles + 2, `${requests} requests in ${cycles} cycles`);
      for (const request of proxy.requests)
        assert.deepEqual([request.function, request.start, request.quantity], [3, 0, 11]);
    } finally {
      await proxy.close();
    }
  },
);

async function lastTime(cloud: Awaited<ReturnType<TestBench["startCloud"]>>, device: string): Promise<number> {
  const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device } });
  return Date.parse(properties[0]!.reported!.time);
}
