import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
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
import {
  openJournal,
  plainCodec,
  realFiles,
  type SecretBox,
  secretBox,
  silentLog,
  systemRandom,
} from "@penstock/runtime";
import { openResources } from "./resources.ts";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "penstock-resources-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const box = secretBox([new Uint8Array(32).fill(1)], systemRandom);
const open = (folder: string, secrets: SecretBox = box) =>
  openResources({ files: realFiles(), folder, secrets, log: silentLog });
/** what every file of the folder holds, one after the other */
async function bytesIn(folder: string): Promise<string> {
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), "latin1")))).join("\n");
}

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
  rules: [],
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
  ["rules", set(2, [], { rules: "none" })],
  [
    "rules[0].actions",
    set(2, [], { rules: [{ uid: "r1", name: "r", sql: "SELECT a FROM s", sources: {}, actions: 1 }] }),
  ],
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

// Its disk outlives the program: a gateway must start from what an older one kept.
test("openResources() reads a set that was kept before there were rules as one without any", async (t) => {
  const folder = await folderOf(t);
  const before = await openJournal<object | null, object>({
    ...{ files: realFiles(), folder, initial: null, apply: (_, kept) => kept },
    ...{ stateCodec: plainCodec(), entryCodec: plainCodec() },
  });
  const { rules: _, ...kept } = set(1, [device("d1")]);
  await before.append(kept);
  await before.close();
  const resources = await open(folder);
  assert.deepEqual(resources.current(), set(1, [device("d1")]));
  await resources.close();
});

const withPassword = (password: string) => {
  const [connection] = set(1, []).connections;
  return set(1, [device("d1")], { connections: [{ ...connection!, settings: { user: "u", password } }] });
};

// A stolen gateway, or its backup, must not give away the plant's passwords.
test("resources.apply() leaves no password in plain text on the disk, and has it again after a restart", async (t) => {
  const folder = await folderOf(t);
  const resources = await open(folder);
  await resources.apply(withPassword("hunter2hunter2"));
  await resources.close();
  assert.doesNotMatch(await bytesIn(folder), /hunter2/);
  const again = await open(folder);
  assert.deepEqual(again.current(), withPassword("hunter2hunter2"));
  await again.close();
  assert.doesNotMatch(await bytesIn(folder), /hunter2/);
  const other = secretBox([new Uint8Array(32).fill(2)], systemRandom);
  await assert.rejects(open(folder, other), { code: "data/key-missing" });
});

test("openResources() seals what was written before there was a key, and with a new key what the old one sealed", async (t) => {
  const folder = await folderOf(t);
  const before = await openJournal<AssignedSet | null, AssignedSet>({
    ...{ files: realFiles(), folder, initial: null, apply: (_, set) => set },
    ...{ stateCodec: plainCodec(), entryCodec: plainCodec() },
  });
  await before.append(withPassword("hunter2hunter2"));
  await before.close();
  assert.match(await bytesIn(folder), /hunter2/);
  await (await open(folder)).close();
  assert.doesNotMatch(await bytesIn(folder), /hunter2/);

  const [older, newer] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  await (await open(folder, secretBox([newer, older], systemRandom))).close();
  const again = await open(folder, secretBox([newer], systemRandom));
  assert.deepEqual(again.current(), withPassword("hunter2hunter2"));
  await again.close();
});
