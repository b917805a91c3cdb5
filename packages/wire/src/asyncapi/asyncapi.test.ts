// biome-ignore-all lint/suspicious/noTemplateCurlyInString: topic templates have placeholders of the same shape
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AssignedSet,
  batchFromSamples,
  type EffectiveDevice,
  effectiveMqtt,
  layoutOrder,
  type Micros,
  type MqttSpec,
  mqttFormats,
  type NodeUid,
  type TenantUid,
  type Value,
  valueTypes,
} from "@penstock/model";
import { Validator } from "typebox/schema";
import { encodeFlatData } from "../mqtt-flat.ts";
import { encodeKubeEdgeData } from "../mqtt-kubeedge.ts";
import { encodeTags } from "../mqtt-tags.ts";
import { asyncApiOf } from "./asyncapi.ts";
import { assertAsyncApi } from "./test-asyncapi.ts";

const values: Readonly<Record<(typeof valueTypes)[number], Value>> = {
  ...{ bool: true, int8: -128, int16: -3, int32: 7, int64: -(2n ** 63n), uint8: 255, uint16: 1, uint32: 4294967295 },
  ...{
    uint64: 2n ** 64n - 1n,
    float32: 0.5,
    float64: Math.PI,
    string: "a",
    bytes: new Uint8Array([1]),
    json: { json: [1] },
  },
};
const device = {
  ...{ uid: "d".repeat(32), name: "press-3" },
  properties: valueTypes.map((type) => ({
    ...{ name: `a_${type}`, type, unit: type === "float64" ? "Cel" : null, access: "read", localWrites: "refuse" },
    publish: type === "float64" ? { topic: "plant/${device}/${property}", qos: 1 } : null,
  })),
} as unknown as EffectiveDevice;
const settable = {
  ...{ uid: "e".repeat(32), name: "valve-1" },
  properties: [{ name: "opening", type: "int16", unit: "%", access: "readWrite", localWrites: "yield", publish: null }],
} as unknown as EffectiveDevice;

function site(mqtt: MqttSpec): Pick<AssignedSet, "tenant" | "node" | "devices"> {
  const node = { uid: "n".repeat(32) as NodeUid, name: "gw-01", timeZone: "UTC", mqtt: effectiveMqtt(mqtt) };
  return { tenant: { uid: "t".repeat(32) as TenantUid, name: "acme" }, node, devices: [device, settable] };
}
type Document = {
  readonly channels: Record<string, { readonly address: string }>;
  readonly operations: Record<string, { readonly action: string }>;
  readonly components: { readonly schemas: Record<string, object> };
};
const documentOf = (mqtt: MqttSpec) => asyncApiOf(site(mqtt)) as unknown as Document;

test("asyncApiOf() is AsyncAPI 3.0.0 for every choice of formats, with a login or without, for any broker", () => {
  const users = { hmi: { password: "river-stone-7" } };
  const broker = { url: "mqtts://hall:8884", user: "gw", password: "lake-grass-9" };
  const choices: MqttSpec[] = [
    {},
    { formats: [] },
    { formats: [...mqttFormats], sparkplug: { group: "hall", writes: true } },
  ];
  for (const choice of choices) {
    for (const more of [{}, { anonymous: "none" as const, users }, { broker }]) {
      const document = documentOf({ ...choice, ...more });
      assertAsyncApi(document);
      assert.doesNotMatch(JSON.stringify(document), /river|lake/);
    }
  }
});

test("the check finds what is wrong", () => {
  const good = JSON.stringify(asyncApiOf(site({})));
  for (const [from, to] of [
    ['"asyncapi":"3.0.0"', '"asyncapi":"2.6.0"'],
    ["#/channels/press-3.flat/messages/", "#/components/messages/"],
    ["#/components/schemas/press-3.flat", "#/components/schemas/other"],
    ['"action":"send"', '"action":"publish"'],
    ['"host"', '"url"'],
  ] as const) {
    assert.ok(good.includes(from), from);
    assert.throws(() => assertAsyncApi(JSON.parse(good.replace(from, to))), to);
  }
});

test("channels are the topics that are published to, and commands only what may be told", () => {
  const { channels, operations } = documentOf({ formats: [...mqttFormats] });
  assert.deepEqual(
    Object.values(channels)
      .map(({ address }) => address)
      .slice(0, 5),
    [
      "penstock/acme/press-3/data",
      "$ke/events/device/acme/press-3/data/update",
      "penstock/acme/press-3/tags",
      "plant/press-3/a_float64",
      "penstock/acme/valve-1/data",
    ],
  );
  const received = (of: Document["operations"]) =>
    Object.entries(of).flatMap(([id, { action }]) => (action === "receive" ? [id] : []));
  assert.deepEqual(received(operations), ["receive.gw-01.NCMD"]);
  const writing = documentOf({ formats: ["sparkplug"], sparkplug: { writes: true } }).operations;
  assert.deepEqual(received(writing), ["receive.gw-01.NCMD", "receive.valve-1.DCMD"]);
});

// A client that was made from the document shall take what is sent.
test("what is sent is what the schemas say, for every type, with a value and without", () => {
  const { schemas } = documentOf({ formats: [...mqttFormats] }).components;
  const layout = { id: 0, device: device.uid, properties: layoutOrder(device.properties) };
  for (const isBad of [false, true]) {
    const samples = device.properties.map(({ name, type }) => ({
      ...{ property: name, time: 1_800_000_000_000_000 as Micros, value: isBad ? null : values[type] },
      ...({ quality: isBad ? "bad" : "good", reason: isBad ? "mapper/timeout" : null } as const),
    }));
    const { batch } = batchFromSamples({ layout, samples });
    const sent: [string, Uint8Array | null][] = [
      ["press-3.flat", encodeFlatData(batch)],
      ["press-3.tags", encodeTags(batch, new Map([["a_float64", "Cel"]]))],
      ["press-3.kubeedge", encodeKubeEdgeData(batch, "e-1")],
      ["press-3.topic-1", encodeFlatData(batch, new Set(["a_float64"]))],
    ];
    for (const [id, bytes] of sent) {
      if (bytes === null) continue;
      const message: unknown = JSON.parse(Buffer.from(bytes).toString());
      assert.ok(new Validator({}, schemas[id]!).Check(message), `${id}: ${Buffer.from(bytes)}`);
      assert.ok(!new Validator({}, schemas[id]!).Check({ time: 1 }), id);
    }
  }
});
