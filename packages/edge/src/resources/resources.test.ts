import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type AssignedChange,
  type AssignedSet,
  type ConnectionUid,
  defaultLine,
  type EffectiveDevice,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { realFiles, silentLog } from "@penstock/runtime";
import { openResources } from "./resources.ts";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "penstock-resources-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const open = (folder: string) => openResources({ files: realFiles(), folder, log: silentLog });

const device = (uid: string, more: Partial<EffectiveDevice> = {}) =>
  ({
    uid,
    name: uid,
    generation: 1,
    connection: "c1",
    address: { unitId: 1 },
    properties: [
      {
        name: "speed",
        type: "float32",
        unit: null,
        access: "readWrite",
        minimum: null,
        maximum: null,
        visitor: { offset: 0 },
        collect: { everyMs: 1000 },
        report: { toCloud: true, cadence: null, deadband: null, atLeastMs: null },
        localWrites: "refuse",
        custom: {},
        publish: null,
      },
    ],
    methods: [],
    offlineAfterMs: null,
    custom: {},
    ...more,
  }) as EffectiveDevice;

const set = (version: number, devices: readonly EffectiveDevice[], more: object = {}): AssignedSet => ({
  version,
  tenant: { uid: "t1" as TenantUid, name: "acme" },
  node: { uid: "n1" as NodeUid, name: "gw-01", timeZone: "UTC" },
  connections: [{ uid: "c1" as ConnectionUid, name: "bus-a", protocol: "modbus", settings: {}, line: defaultLine }],
  devices,
  ...more,
});

test("resources.apply() is durable when it resolves and tells what changed", async (t) => {
  const folder = await folderOf(t);
  const resources = await open(folder);
  assert.equal(resources.current(), null);
  const changes: AssignedChange[] = [];
  resources.onChange((change) => changes.push(change));
  await resources.apply(set(1, [device("d1"), device("d2")]));
  await resources.apply(set(2, [device("d1"), device("d2", { generation: 2 }), device("d3")]));
  assert.deepEqual(
    changes.map(({ devices }) => [devices.added, devices.changed].map((list) => list.map((d) => d.uid as string))),
    [
      [["d1", "d2"], []],
      [["d3"], ["d2"]],
    ],
  );
  // No close: what was accepted must be there after a kill.
  const again = await open(folder);
  assert.deepEqual(again.current(), set(2, [device("d1"), device("d2", { generation: 2 }), device("d3")]));
  await again.close();
  await resources.close();
});

test("resources.apply() of the same set twice changes nothing; an older one is ignored; another node starts anew", async (t) => {
  const resources = await open(await folderOf(t));
  let told = 0;
  resources.onChange(() => told++);
  const one = set(5, [device("d1")]);
  await Promise.all([resources.apply(one), resources.apply(structuredClone(one)), resources.apply(set(4, []))]);
  assert.equal(told, 1);
  assert.deepEqual(resources.current(), one);
  const other = set(1, [], { node: { uid: "n2", name: "gw-02", timeZone: "UTC" } });
  await resources.apply(other);
  assert.deepEqual(resources.current(), other);
  await resources.close();
});

const property = device("d1").properties[0]!;
const refusals: readonly [field: string, bad: AssignedSet][] = [
  ["devices[0].connection", set(2, [device("d1", { connection: "c9" as EffectiveDevice["connection"] })])],
  ["devices[1].uid", set(2, [device("d1"), device("d1")])],
  ["devices[0].properties[1].name", set(2, [device("d1", { properties: [property, property] })])],
  [
    "devices[0].properties[0].collect",
    set(2, [device("d1", { properties: [{ ...property, collect: { everyMs: 1 } }] })]),
  ],
  ["devices[0].properties", set(2, [device("d1", { properties: new Array(10_001).fill(property) })])],
  ["connections", set(2, [], { connections: null })],
  ["version", set(1.5, [])],
];
for (const [field, bad] of refusals) {
  test(`resources.apply() refuses a set whose ${field} breaks its rule and keeps the old one`, async (t) => {
    const resources = await open(await folderOf(t));
    const good = set(1, [device("d1")]);
    await resources.apply(good);
    await assert.rejects(resources.apply(bad), (error: { code: string; fields: { field: string }[] }) => {
      assert.equal(error.code, "input/invalid");
      assert.equal(error.fields[0]?.field, field);
      return true;
    });
    assert.deepEqual(resources.current(), good);
    await resources.close();
  });
}
