import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Client } from "@penstock/api";
import { manifestText } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

/** Outside the repository, with the kit beside it, as an installed package would be. */
const own = join(bench.folder, "own-mappers");
mkdirSync(join(own, "node_modules/@penstock"), { recursive: true });
symlinkSync(join(root, "packages/mapper-sdk"), join(own, "node_modules/@penstock/mapper-sdk"));

/** Writes a mapper as a user would: one module, and the manifest that the kit makes of it. */
async function install(name: string, version: string, axes: readonly string[]): Promise<void> {
  const folder = join(own, name);
  mkdirSync(folder, { recursive: true });
  // Another path for each version: a module is read once in a process, and this one reads it for its manifest.
  const main = `./${name}-${version}.mjs`;
  writeFileSync(
    join(folder, main),
    `import { defineMapper, int, list, oneOf, text } from "@penstock/mapper-sdk";

export const mapper = defineMapper({
  name: "${name}",
  summary: "Turns steel",
  version: "${version}",
  main: "${main}",
  connection: { host: text({ example: "10.0.0.7" }) },
  address: { spindle: int({ min: 1, max: 4 }) },
  visitor: { axis: oneOf(${JSON.stringify(axes)}, {}) },
  custom: { serial: int({ min: 0 }), offsets: list(int(), { optional: true }) },
  permissions: [],
  open: async () => ({
    read: async (points) => points.map(({ visitor, deviceCustom }) => ({
      value: visitor.axis === "serial" ? BigInt(deviceCustom.serial) : BigInt(deviceCustom.offsets[0]) + ${version[0]}n,
    })),
    write: async () => {},
    close: async () => {},
  }),
});
`,
  );
  const { mapper } = (await import(pathToFileURL(join(folder, main)).href)) as {
    mapper: Parameters<typeof manifestText>[0];
  };
  writeFileSync(join(folder, "mapper.json"), manifestText(mapper));
}

const serial = 2n ** 64n - 1n;
function device(axis: string, more: { readonly protocol?: string; readonly serial?: string } = {}): string {
  const { protocol = "lathe", serial: written = String(serial) } = more;
  return `kind: Device
metadata: { name: ${protocol}-01 }
spec:
  node: gw-01
  connection: { protocol: ${protocol}, settings: { host: 10.0.0.7 } }
  address: { spindle: 2 }
  custom: { serial: ${written}, offsets: [-9223372036854775800] }
  properties:
    number: { type: uint64, visitor: { axis: serial }, collect: { every: 200ms } }
    place: { type: int64, visitor: { axis: ${axis} }, collect: { every: 200ms } }
`;
}
async function values(client: Client, name: string): Promise<unknown[] | null> {
  const { properties } = await client.twins.get({ params: { tenant: "default", device: name } });
  const read = properties.map(({ reported }) => (reported?.quality === "good" ? reported.value : null));
  return read.includes(null) ? null : read;
}

// The cloud has never seen the mapper: what its devices may state, it knows from the gateway.
test("a mapper that only the user has works by its own schema, installed, changed and added while the gateway runs", async () => {
  await install("lathe", "1.0.0", ["x", "z", "serial"]);
  const cloud = await bench.startCloud();
  const apply = (text: string, ...args: string[]) => bench.run(["apply", "-f", "-", ...args], { input: text });
  await cloud.client.nodes.put({
    params: { tenant: "default", name: "gw-01" },
    body: { metadata: { name: "gw-01" }, spec: {} },
    create: true,
  });
  const early = await apply(device("x"));
  assert.notEqual(early.code, 0);
  assert.match(
    early.stderr,
    /spec\.connection\.protocol: "lathe": must be the name of a mapper: .*gateway "gw-01" has not told its own yet/,
  );

  await bench.startEdge(cloud, "gw-01", { args: ["--mappers", own] });
  const mappers = await eventually("the mapper of the gateway", async () => {
    const { stdout } = await bench.run(["get", "mappers"]);
    return /^lathe .*gw-01/m.test(stdout) ? stdout : null;
  });
  assert.match(mappers, /^lathe +1\.0\.0 +gw-01 +Turns steel$/m);
  assert.match(mappers, /^modbus .*cloud/m);
  const described = await bench.run(["describe", "mapper", "lathe"]);
  assert.match(described.stdout, /^host +string +\(required\) +such as "10\.0\.0\.7"$/m, described.stderr);
  assert.match(described.stdout, /^axis +x \| z \| serial/m);
  assert.match(described.stdout, /^spindle +integer 1\.\.4/m);

  // Refused at the door, by the command line, its dry run and the API, in the same words.
  const rule = /spec\.properties\.place\.visitor\.axis: "y": must be one of x, z, serial/;
  for (const args of [[], ["--dry-run"]]) {
    const refused = await apply(device("y"), ...args);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, rule);
  }
  const properties = { place: { type: "int64", visitor: { axis: "y" } } };
  const spec = {
    node: "gw-01",
    connection: { protocol: "lathe", settings: { host: "a" } },
    address: { spindle: 2 },
    properties,
  };
  const body = { metadata: { name: "lathe-01" }, spec } as const;
  const put = cloud.client.devices.put({
    params: { tenant: "default", name: "lathe-01" },
    body: body as never,
    create: true,
  });
  await assert.rejects(put, (error) => {
    assert.ok(error instanceof AppError);
    assert.deepEqual(error.fields, [
      { field: "spec.properties.place.visitor.axis", value: '"y"', rule: "must be one of x, z, serial" },
    ]);
    return true;
  });
  const text = await apply(device("x", { serial: '"7"' }));
  assert.match(text.stderr, /spec\.custom\.serial: "7": must be integer/);
  assert.match((await apply(device("x", { serial: "-1" }))).stderr, /spec\.custom\.serial: -1: must be >= 0/);

  const good = await apply(device("x"));
  assert.equal(good.code, 0, good.stderr);
  const first = await eventually("values of the device", () => values(cloud.client, "lathe-01"));
  assert.deepEqual(first, ["18446744073709551615", "-9223372036854775799"]);

  // Another version at the gateway: it runs at once, and the device that does not fit it any more is named and left alone.
  await install("lathe", "2.0.0", ["z", "serial"]);
  const status = async () =>
    (await cloud.client.devices.get({ params: { tenant: "default", name: "lathe-01" } })).status as {
      findings: object[];
    };
  const findings = await eventually("what no longer fits", async () => {
    const { findings } = await status();
    return findings.length > 0 ? findings : null;
  });
  assert.deepEqual(findings, [
    { field: "spec.properties.place.visitor.axis", value: '"x"', rule: "must be one of z, serial" },
  ]);
  const alarms = await bench.run(["get", "alarms"]);
  assert.match(
    alarms.stdout,
    /mapper\/devices-unfit +gw-01 .*Device "lathe-01" spec\.properties\.place\.visitor\.axis/,
  );
  const changed = await apply(device("z"));
  assert.equal(changed.code, 0, changed.stderr);
  assert.deepEqual((await status()).findings, []);
  await eventually(
    "a value of the new version",
    async () => (await values(cloud.client, "lathe-01"))?.[1] === "-9223372036854775798",
  );

  // A second mapper, beside the first.
  await install("mill", "3.0.0", ["x", "serial"]);
  await eventually("the second mapper", async () => (await apply(device("x", { protocol: "mill" }))).code === 0);
  const second = await eventually("values of its device", () => values(cloud.client, "mill-01"));
  assert.deepEqual(second, ["18446744073709551615", "-9223372036854775797"]);
});
