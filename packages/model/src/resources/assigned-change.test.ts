import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ConnectionUid, DeviceUid, NodeUid, RuleUid, TenantUid } from "../ids.ts";
import { diffAssigned, isEmptyChange, type ListChange } from "./assigned-change.ts";
import type { AssignedSet, EffectiveConnection, EffectiveDevice, EffectiveRule } from "./effective.ts";
import { defaultLine } from "./line.ts";

const json = fc.dictionary(
  fc.constantFrom("a", "b"),
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant([1, { x: 0 }])),
  {
    maxKeys: 2,
  },
);
const connection: fc.Arbitrary<EffectiveConnection> = fc.record({
  uid: fc.constantFrom("c1", "c2", "c3").map((uid) => uid as ConnectionUid),
  name: fc.constantFrom("bus-a", "bus-b"),
  protocol: fc.constant("modbus"),
  settings: json,
  line: fc.constant(defaultLine),
});
const device: fc.Arbitrary<EffectiveDevice> = fc.record({
  uid: fc.constantFrom("d1", "d2", "d3", "d4").map((uid) => uid as DeviceUid),
  name: fc.constantFrom("press", "oven"),
  generation: fc.integer({ min: 1, max: 2 }),
  connection: fc.constant("c1" as ConnectionUid),
  address: json,
  properties: fc.constant([]),
  methods: fc.constant([]),
  offlineAfterMs: fc.constant(null),
  custom: json,
});
const rule: fc.Arbitrary<EffectiveRule> = fc.record({
  uid: fc.constantFrom("r1", "r2", "r3").map((uid) => uid as RuleUid),
  name: fc.constantFrom("clean", "mean"),
  generation: fc.integer({ min: 1, max: 2 }),
  sql: fc.constantFrom("SELECT a FROM s", "SELECT b FROM s"),
  mode: fc.constant("strict" as const),
  isStopped: fc.boolean(),
  eventTime: fc.constant(null),
  sources: fc.constant({}),
  actions: fc.constant([{ log: {} }]),
});
// Cloned, since generated records may lack a prototype and plain data never does.
const set: fc.Arbitrary<AssignedSet> = fc
  .record({
    version: fc.integer({ min: 1, max: 9 }),
    tenant: fc.constant({ uid: "t" as TenantUid, name: "acme" }),
    node: fc.constant({ uid: "n" as NodeUid, name: "gw-01", timeZone: "UTC" }),
    connections: fc.uniqueArray(connection, { selector: ({ uid }) => uid }),
    devices: fc.uniqueArray(device, { selector: ({ uid }) => uid }),
    rules: fc.uniqueArray(rule, { selector: ({ uid }) => uid }),
  })
  .map((made) => structuredClone(made));

/** What a stage that keeps a map does with a change. */
function after<Uid extends string, Item extends { readonly uid: Uid }>(
  before: readonly Item[],
  { added, changed, removed }: ListChange<Uid, Item>,
) {
  const held = new Map(before.map((item) => [item.uid, item]));
  for (const uid of removed) assert.ok(held.delete(uid), "removed what was there");
  for (const item of changed) assert.ok(held.has(item.uid), "changed what was there");
  for (const item of added) assert.ok(!held.has(item.uid), "added what was not there");
  for (const item of [...added, ...changed]) held.set(item.uid, item);
  return held;
}
const byUid = <Uid, Item extends { readonly uid: Uid }>(items: readonly Item[]) =>
  new Map(items.map((i) => [i.uid, i]));

test("diffAssigned(): the change applied to the old members gives the new ones", () => {
  fc.assert(
    fc.property(fc.option(set), set, (from, to) => {
      const change = diffAssigned(from, to);
      assert.deepEqual(after(from?.connections ?? [], change.connections), byUid(to.connections));
      assert.deepEqual(after(from?.devices ?? [], change.devices), byUid(to.devices));
      assert.deepEqual(after(from?.rules ?? [], change.rules), byUid(to.rules));
    }),
  );
});

test("diffAssigned() leaves members alone that are equal field by field, whatever the order of lists and keys", () => {
  fc.assert(
    fc.property(set, fc.nat(), (from, turn) => {
      const keysTurned = <T extends object>(item: T): T => Object.fromEntries(Object.entries(item).reverse()) as T;
      const turned = <T extends object>(items: readonly T[]) =>
        items.map((_, i) => keysTurned(structuredClone(items[(i + turn) % items.length]!)));
      const to = {
        ...from,
        version: 10,
        connections: turned(from.connections),
        devices: turned(from.devices),
        rules: turned(from.rules),
      };
      assert.ok(isEmptyChange(diffAssigned(from, to)));
    }),
  );
});

test("diffAssigned() names a device whose deepest field differs, and only that one", () => {
  const [base] = fc.sample(fc.uniqueArray(device, { minLength: 2, selector: ({ uid }) => uid }), 1);
  const devices = base!.map((d) => ({ ...d, custom: { deep: { list: [1, 2, { x: 1 }] } } }));
  const common = { version: 1, tenant: { uid: "t" as TenantUid, name: "t" }, connections: [], rules: [] };
  const from: AssignedSet = { ...common, node: { uid: "n" as NodeUid, name: "n", timeZone: "UTC" }, devices };
  const last = devices[devices.length - 1]!;
  const to = { ...from, devices: devices.with(-1, { ...last, custom: { deep: { list: [1, 2, { x: 2 }] } } }) };
  const { added, changed, removed } = diffAssigned(from, to).devices;
  assert.deepEqual([added.length, changed.map(({ uid }) => uid), removed.length], [0, [last.uid], 0]);
});
