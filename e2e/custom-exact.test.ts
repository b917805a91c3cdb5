import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseExact } from "@penstock/model";
import { eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

const mappers = join(root, "e2e/support/mappers");
/** As people write it; what a plain JSON.parse would change is in it: integers beyond 2^53, a wide float, null, lists. */
const deviceCustom =
  '{"serial":18446744073709551615,"low":-9223372036854775808,"wide":1e+20,"nested":[[1,[9007199254740993,null]],{"a":[]}],"deep":{"list":[{"x":[[[]]]}]}}';
const propertyCustom = '{"mask":9223372036854775807,"small":7,"texts":["18446744073709551615",""]}';

// A custom block belongs to the mapper: all that stands between it and the person who wrote it passes it on, digit by digit.
test("custom blocks reach a mapper that only the user has exactly as they were written, also after a restart", async () => {
  const cloud = await bench.startCloud({ args: ["--mappers", mappers] });
  const edge = await bench.startEdge(cloud, "gw-01", { args: ["--mappers", mappers] });
  const file = join(bench.folder, "device.yaml");
  writeFileSync(
    file,
    `kind: Device
metadata: { name: odd }
spec:
  node: gw-01
  connection: { protocol: echo }
  custom: ${deviceCustom}
  properties:
    device: { type: string, visitor: { of: device }, collect: { every: 100ms } }
    property: { type: string, visitor: { of: property }, collect: { every: 100ms }, custom: ${propertyCustom} }
`,
  );
  const applied = await bench.run(["apply", "-f", file]);
  assert.equal(applied.code, 0, applied.stderr);
  const reported = (since: number) =>
    eventually("what the mapper was told", async () => {
      const { properties } = await cloud.client.twins.get({ params: { tenant: "default", device: "odd" } });
      const of = (name: string) => properties.find((one) => one.property === name)?.reported;
      const [device, property] = [of("device"), of("property")];
      if (typeof device?.value !== "string" || typeof property?.value !== "string") return null;
      return Date.parse(device.time) > since ? [device.value, property.value] : null;
    });
  const exact = [deviceCustom, propertyCustom].map(parseExact);
  assert.deepEqual((await reported(0)).map(parseExact), exact);

  // What `get` prints, in YAML and in JSON, is the same again: applying it changes nothing.
  for (const format of ["yaml", "json"]) {
    const got = await bench.run(["get", "device", "odd", "-o", format]);
    const back = await bench.run(["apply", "-f", "-"], { input: got.stdout });
    assert.match(back.stdout, /Device "odd" unchanged/, `${back.stderr}\n${got.stdout}`);
  }
  // From the gateway's own disk: it knows nothing else when it starts.
  await edge.process.stop();
  const stoppedAt = Date.now();
  await bench.startAgent("gw-01", { args: ["--mappers", mappers] });
  assert.deepEqual((await reported(stoppedAt)).map(parseExact), exact);
});
