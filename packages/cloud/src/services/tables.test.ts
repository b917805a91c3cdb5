import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AppError, type DeviceSpec } from "@penstock/model";
import { system } from "./context.ts";
import { testBench } from "./test/test-bench.ts";
import { plant, ref, tenant } from "./test/test-plant.ts";

const visitor = (offset: number) => ({ table: "holding", offset });

async function stage(t: TestContext) {
  const bench = await testBench();
  t.after(() => bench.close());
  const made = await plant(bench, "a");
  const spec: DeviceSpec = {
    node: made.node,
    connection: made.bus,
    address: { unitId: 3 },
    properties: {
      total: { type: "uint64", maximum: "18446744073709551615", visitor: visitor(0), description: "=1+1" },
      level: {
        type: "float64",
        visitor: visitor(8),
        collect: { at: ["06:00"] },
        custom: { serial: 9007199254740993n },
      },
    },
    custom: { list: [9223372036854775807n, "007"] },
  };
  for (const [i, name] of ["tank-1", "tank-2"].entries()) {
    const document = {
      metadata: { name, labels: { cell: `${i}` }, displayName: "Tank ü" },
      spec: { ...spec, address: { unitId: 3 + i } },
    };
    await bench.services.devices.create(system, ref(name), document);
  }
  const { tables } = bench.services;
  const csv = async (what: "devices" | "properties") =>
    new TextDecoder().decode((await tables.exportDevices(system, tenant, { format: "csv", what })).bytes);
  const take = (input: Parameters<typeof tables.importDevices>[2]["input"], more: object = {}) =>
    tables.importDevices(system, tenant, { mode: "merge", removeAbsent: false, dryRun: false, input, ...more });
  const specOf = async (name: string) => (await bench.services.devices.get(system, ref(name))).spec as DeviceSpec;
  return { bench, tables, csv, take, specOf, spec };
}
async function told(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return [error.code, ...error.fields.map((one) => `${one.field}: ${one.value}: ${one.rule}`)];
  }
  return [];
}

test("what is exported and imported again changes nothing, digit by digit", async (t) => {
  const { tables, take, csv, specOf, spec } = await stage(t);
  const { bytes, name } = await tables.exportDevices(system, tenant, { format: "xlsx" });
  assert.equal(name, `${tenant}-devices.xlsx`);
  const file = Buffer.from(bytes).toString("base64");
  for (const mode of ["merge", "replace"]) {
    const done = await take({ format: "xlsx", file }, { mode });
    assert.deepEqual([done.change, done.updated, done.unchanged], [null, 0, 3]);
  }
  const both = { devices: await csv("devices"), properties: await csv("properties") };
  assert.deepEqual((await take({ format: "csv", ...both }, { mode: "replace", removeAbsent: true })).unchanged, 3);
  // Into a tenant that has none of them.
  const renamed = {
    devices: both.devices.replaceAll("tank-", "copy-").replaceAll(/,3,|,4,/g, ",9,"),
    properties: both.properties.replaceAll("tank-", "copy-"),
  };
  const only = (text: string) =>
    text
      .split("\r\n")
      .filter((line) => !/copy-2|conveyor-a/.test(line))
      .join("\r\n");
  assert.equal(
    (await take({ format: "csv", devices: only(renamed.devices), properties: only(renamed.properties) })).created,
    1,
  );
  assert.deepEqual(await specOf("copy-1"), { ...spec, address: { unitId: 9 } });
});

test("an edit changes one field and is undone as a whole; a dry run says the same and stores nothing", async (t) => {
  const { bench, take, specOf, spec } = await stage(t);
  const properties = "device;property;visitor.offset\ntank-1;level;20\ntank-2;level;20\n";
  const dry = await take({ format: "csv", properties }, { dryRun: true });
  assert.deepEqual([dry.change, dry.updated], [null, 2]);
  assert.deepEqual(dry.devices[0], {
    device: "tank-1",
    action: "update",
    fields: [{ field: "spec.properties.level.visitor.offset", before: 8, after: 20 }],
    changed: 1,
  });
  assert.deepEqual(await specOf("tank-1"), spec);
  const done = await take({ format: "csv", properties });
  assert.deepEqual((await specOf("tank-2")).properties?.level?.visitor, visitor(20));
  await bench.services.changes.undo(system, { tenant, change: done.change! }, {});
  assert.deepEqual(await specOf("tank-1"), spec);
});

test("everything wrong is told by sheet, row and column, and nothing changes", async (t) => {
  const { take, specOf, spec } = await stage(t);
  const properties =
    "device,property,visitor.offset,visitor.table\ntank-1,level,20,holding\ntank-2,level,99999,holding\ntank-1,total,0,attic\n";
  const [code, ...fields] = await told(take({ format: "csv", properties }));
  assert.equal(code, "input/invalid");
  assert.deepEqual(fields.map((one) => one.split(": ")[0]).sort(), [
    "properties row 3, column visitor.offset",
    "properties row 4, column visitor.table",
  ]);
  const devices = "name,node\ntank-1,nowhere\n,gw\n";
  assert.deepEqual(await told(take({ format: "csv", devices })), [
    "input/invalid",
    "devices row 3, column name: (missing): is required",
  ]);
  assert.match(
    (await told(take({ format: "csv", devices: "name,node\ntank-1,nowhere\n" })))[1]!,
    /^devices row 2, column node: /,
  );
  assert.match((await told(take({ format: "xlsx", file: "bm90IGEgemlw" })))[1]!, /^file: .*must be an XLSX file/);
  assert.deepEqual((await told(take({ format: "csv" })))[1], "devices: (missing): devices or properties must be there");
  assert.deepEqual(await specOf("tank-1"), spec);
});

test("devices that no row names go only when asked, and other tenants' are not found", async (t) => {
  const { bench, tables, csv, take } = await stage(t);
  const devices = (await csv("devices"))
    .split("\r\n")
    .filter((line) => !line.startsWith("tank-2"))
    .join("\r\n");
  assert.equal((await take({ format: "csv", devices }, { mode: "replace" })).deleted, 0);
  assert.equal((await take({ format: "csv", devices }, { removeAbsent: true })).deleted, 1);
  const stranger = { uid: "s", name: "s", role: "engineer", tenants: [] } as never;
  assert.deepEqual(await told(tables.exportDevices(stranger, tenant, { format: "csv" })), ["resource/not-found"]);
  const list = await bench.services.devices.list(system, tenant, {});
  assert.deepEqual(
    list.items.map((one) => one.metadata.name),
    ["conveyor-a", "tank-1"],
  );
});
