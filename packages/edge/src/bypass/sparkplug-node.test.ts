import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromSamples, type EffectiveDevice, layoutOrder, type Micros, type Quality } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { decodeSparkplug, encodeSparkplug, parseSparkplugTopic, type ReceivedPayload } from "@penstock/wire";
import fc from "fast-check";
import type { BrokerMessage } from "./broker.ts";
import { press } from "./bypass-fixture.ts";
import { SparkplugNode } from "./sparkplug-node.ts";

const clock = systemClock();
const time = 1_800_000_000_000_000 as Micros;
const valve: EffectiveDevice = {
  ...press,
  uid: "e".repeat(32) as EffectiveDevice["uid"],
  name: "valve-1",
  properties: [
    {
      ...press.properties[0]!,
      name: "opening",
      type: "int16",
      access: "readWrite",
      localWrites: "yield",
      publish: null,
    },
  ],
};

function batchOf(device: EffectiveDevice, quality: Quality = "good") {
  const layout = { id: 0, device: device.uid, properties: layoutOrder(device.properties) };
  const reason = quality === "good" ? null : ("mapper/timeout" as const);
  const samples = device.properties.map(({ name, type }) => {
    const value = quality === "bad" ? null : type === "string" ? "bottle" : 7;
    return { property: name, time, value, quality, reason };
  });
  return batchFromSamples({ layout, samples }).batch;
}
function node(): SparkplugNode {
  const made = new SparkplugNode({ group: "acme", node: "gw-01", clock });
  made.setDevices([press, valve]);
  made.will();
  return made;
}
type Told = ReceivedPayload & { readonly what: string };
function told(messages: readonly BrokerMessage[]): Told[] {
  return messages.map(({ topic, payload }) => {
    const address = parseSparkplugTopic(topic);
    assert.ok(address !== null && address.group === "acme" && address.node === "gw-01", topic);
    return { ...decodeSparkplug(payload), what: [address.type, ...(address.device ?? [])].join("") };
  });
}
const shortly = (messages: readonly BrokerMessage[]) =>
  told(messages).map(({ what, seq }) => [what.replace(/(press|valve)/, " $1"), Number(seq)]);

test("births have the number of the will, every property with name, alias and last value; data has the alias alone", () => {
  const made = node();
  made.data(batchOf(press), "press-3");
  const will = told([made.will()])[0]!;
  const births = told(made.births());
  assert.deepEqual(
    births.map(({ what, seq }) => [what, seq]),
    [
      ["NBIRTH", 0n],
      ["DBIRTHpress-3", 1n],
      ["DBIRTHvalve-1", 2n],
    ],
  );
  const [nbirth, dbirth, other] = births;
  assert.deepEqual([will.seq, will.metrics[0]?.raw], [null, nbirth!.metrics[0]!.raw]);
  assert.deepEqual(
    nbirth!.metrics.map(({ name, datatype }) => [name, datatype]),
    [
      ["bdSeq", 4],
      ["Node Control/Rebirth", 11],
    ],
  );
  assert.deepEqual(nbirth!.metrics[0]?.raw, { field: "long", value: 1n });
  assert.deepEqual(
    dbirth!.metrics.map(({ name, raw, quality }) => [name, raw?.value, quality]),
    [
      ["pressure", 7, 192],
      ["recipe", "bottle", 192],
    ],
  );
  assert.deepEqual(
    other!.metrics.map(({ isNull, quality, datatype }) => [isNull, quality, datatype]),
    [[true, 0, 2]],
  );
  const aliases = births.flatMap(({ metrics }) => metrics.flatMap(({ alias }) => alias ?? []));
  assert.equal(new Set(aliases).size, 3);
  const [data] = told(made.data(batchOf(press, "uncertain"), "press-3"));
  assert.deepEqual([data!.what, data!.seq], ["DDATApress-3", 3n]);
  assert.deepEqual(
    data!.metrics.map(({ name, alias, quality }) => [name, alias, quality]),
    [
      [null, aliases[0], 500],
      [null, aliases[1], 500],
    ],
  );
});

test("a device that gives nothing any more dies once, and is born again with its first value", () => {
  const made = node();
  made.births();
  assert.deepEqual(shortly(made.data(batchOf(press, "bad"), "press-3")), [["DDEATH press-3", 3]]);
  assert.deepEqual(made.data(batchOf(press, "bad"), "press-3"), []);
  assert.deepEqual(shortly(made.births()), [
    ["NBIRTH", 0],
    ["DBIRTH valve-1", 1],
  ]);
  assert.deepEqual(shortly(made.data(batchOf(press), "press-3")), [["DBIRTH press-3", 2]]);
});

test("devices that come, change and go are born, born anew and dead; the others say nothing", () => {
  const made = node();
  made.births();
  assert.deepEqual(made.setDevices([press, valve]), []);
  const edited = { ...press, generation: 2 };
  assert.deepEqual(shortly(made.setDevices([edited])), [
    ["DDEATH valve-1", 3],
    ["DBIRTH press-3", 4],
  ]);
  assert.deepEqual(made.data(batchOf(valve), "valve-1"), []);
});

// A host that misses a number asks for all births again; one that never sees a gap believes old values.
test("whatever happens, seq counts 0..255 from each birth of the node, and nothing of a dead device is told", () => {
  const step = fc.constantFrom("births", "will", "good", "bad", "valve", "edit", "all");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const made = node();
      const messages = made.births();
      let generation = 1;
      for (const one of steps) {
        if (one === "births") messages.push(...made.births());
        else if (one === "will") made.will();
        else if (one === "edit") messages.push(...made.setDevices([{ ...press, generation: ++generation }]));
        else if (one === "all") messages.push(...made.setDevices([press, valve]));
        else if (one === "valve") messages.push(...made.data(batchOf(valve), "valve-1"));
        else messages.push(...made.data(batchOf(press, one), "press-3"));
      }
      let next = 0n;
      const born = new Set<string>();
      for (const { topic, payload } of messages) {
        const { type, device } = parseSparkplugTopic(topic)!;
        const { seq } = decodeSparkplug(payload);
        if (type === "NBIRTH") {
          next = 0n;
          born.clear();
        }
        assert.equal(seq, next);
        next = (next + 1n) % 256n;
        if (type === "DBIRTH") born.add(device!);
        if (type === "DDATA") assert.ok(born.has(device!), topic);
        if (type === "DDEATH") assert.ok(born.delete(device!), topic);
      }
    }),
    { numRuns: 300 },
  );
});

test("seq goes on from 255 with 0, and the number of births does", () => {
  const made = node();
  made.births();
  for (let at = 0; at < 253; at++) made.data(batchOf(press), "press-3");
  assert.deepEqual(shortly(made.data(batchOf(press), "press-3")), [["DDATA press-3", 0]]);
  for (let at = 0; at < 255; at++) made.will();
  assert.deepEqual(told([made.will()])[0]?.metrics[0]?.raw?.value, 0n);
});

test("commands: a rebirth, values by name or alias; what is not ours, no such property or of another kind is not taken", () => {
  const made = node();
  const metric = { alias: null, timestamp: 1, quality: null, unit: null } as const;
  const ask = (name: string, value: boolean) =>
    encodeSparkplug({ timestamp: 1, seq: null, metrics: [{ ...metric, name, type: "bool", value }] });
  const node1 = "spBv1.0/acme/NCMD/gw-01";
  assert.equal(made.command(node1, ask("Node Control/Rebirth", true)).rebirth, true);
  assert.equal(made.command(node1, ask("Node Control/Rebirth", false)).rebirth, false);
  assert.equal(made.command("spBv1.0/acme/NCMD/gw-02", ask("Node Control/Rebirth", true)).rebirth, false);
  assert.equal(made.command(node1, new Uint8Array([255])).refused, 1);
  const births = told(made.births());
  const alias = Number(births[2]!.metrics[0]!.alias);
  const dcmd = encodeSparkplug({
    ...{ timestamp: 1, seq: null },
    metrics: [
      { ...metric, name: "opening", type: "int16", value: -5 },
      { ...metric, name: null, alias, type: "int16", value: 6 },
      { ...metric, name: "opening", type: "string", value: "x" },
      { ...metric, name: "other", type: "int16", value: 1 },
    ],
  });
  const { writes, refused } = made.command("spBv1.0/acme/DCMD/gw-01/valve-1", dcmd);
  assert.deepEqual(
    [writes.map(({ property, value }) => [property, value]), refused],
    [
      [
        ["opening", -5],
        ["opening", 6],
      ],
      2,
    ],
  );
  assert.equal(made.command("spBv1.0/acme/DCMD/gw-01/none", dcmd).refused, 1);
});
