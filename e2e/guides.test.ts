import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { freePort, needs, playPress } from "@penstock/testkit";
import { playThermometer } from "../packages/mappers/ble/test/thermometer.ts";
import { PlantServer } from "../packages/mappers/opcua/test/plant-server.ts";
import { GuideRun, guideSteps, matchOutput } from "./support/guide.ts";
import { root, TestBench } from "./support/penstock.ts";

const folder = join(root, "docs/guides");
const bench = new TestBench();
after(() => bench.close());

/**
 * What the guides name, and what stands for it here. `npm start` is `npx penstock up`; up, cloud and edge take these ports
 * where the guide names none. The device of the guides is the simulated tank.
 *
 *   8443 8080 1883 1884 8088  free ports
 *   502                       port of the simulated plant
 *   4840                      port of an OPC UA server, where the guide has one
 *   102                       port of a PLC, where the guide has one
 *   unix:path=/run/dbus/…     a message bus with bluetoothd played on it, where the guide has one
 *   10.0.4.12 192.168.1.20    this machine
 */
async function substitutes(
  plant: { readonly port: number },
  opcua: { readonly port: number } | null,
  ble: { readonly bus: string } | null,
  plc: { readonly port: number } | null,
): Promise<Map<string, string>> {
  const ports = await Promise.all(
    ["8443", "8080", "1883", "1884", "8088"].map(async (name) => [name, String(await freePort())] as const),
  );
  return new Map([
    ...ports,
    ...(opcua === null ? [] : [["4840", String(opcua.port)] as const]),
    ...(plc === null ? [] : [["102", String(plc.port)] as const]),
    ...(ble === null ? [] : [["unix:path=/run/dbus/system_bus_socket", ble.bus] as const]),
    ["502", String(plant.port)],
    ["10.0.4.12", "127.0.0.1"],
    ["192.168.1.20", "127.0.0.1"],
  ]);
}

const usesBus = (text: string) => text.includes("/run/dbus/");

for (const name of readdirSync(folder).filter((file) => file.endsWith(".md"))) {
  const text = readFileSync(join(folder, name), "utf8");
  const steps = guideSteps(text);
  test(
    `the guide ${name} does what it says`,
    needs(
      ...(text.includes("mosquitto -p") ? ["mosquitto" as const] : []),
      ...(text.includes("mosquitto_") ? ["mosquitto-clients" as const] : []),
      ...(usesBus(text) ? ["dbus" as const] : []),
    ),
    async () => {
      assert.ok(steps.some((step) => step.t === "commands" && step.expected.length > 0));
      const plant = await bench.startPlant();
      const opcua = text.includes("opc.tcp") ? await PlantServer.start() : null;
      const ble = usesBus(text) ? await playThermometer() : null;
      const plc = text.includes("protocol: s7") ? await playPress() : null;
      const here = join(bench.folder, name);
      const run = new GuideRun({ folder: here, substitutes: await substitutes(plant, opcua, ble, plc) });
      try {
        for (const step of steps) await run.step(step);
      } finally {
        await run.stop();
        await plant.process.kill();
        await opcua?.stop();
        await ble?.close();
        await plc?.close();
      }
    },
  );
}

test("matchOutput() wants every line in order, and learns what stands for a name", () => {
  const output = "NAME   STATE\ngw-01  connected  2026\nlogin: admin / s3cret\n";
  assert.deepEqual(matchOutput(["gw-01 connected …", "login: admin / <password>"], output), { "<password>": "s3cret" });
  assert.equal(matchOutput(["login: …", "gw-01 …"], output), null);
  assert.equal(matchOutput(["gw-01 connected"], output), null);
});

test("guideSteps() knows files, commands and what they print", () => {
  const steps = guideSteps(
    "Write `a.yaml`:\n\n```yaml\na: 1\n```\n\n```sh runs\nx\n```\n\nIt prints\n\n```text\nup\n\n```\n\n```yaml\nonly: shown\n```\n",
  );
  assert.deepEqual(steps, [
    { t: "file", line: 3, path: "a.yaml", text: "a: 1\n" },
    { t: "commands", line: 7, text: "x\n", how: "runs", expected: ["up"] },
  ]);
  assert.throws(() => guideSteps("```sh fails\nx\n```\n"), /unknown mark "fails"/);
});
