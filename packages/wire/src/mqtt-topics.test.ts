// biome-ignore-all lint/suspicious/noTemplateCurlyInString: topic templates have placeholders of the same shape
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EffectiveDevice } from "@penstock/model";
import { planTopics } from "./mqtt-topics.ts";

function device(publish: Readonly<Record<string, [template: string, qos: 0 | 1]>>): EffectiveDevice {
  const properties = Object.entries(publish).map(([name, [topic, qos]]) => ({ name, publish: { topic, qos } }));
  return { name: "press-3", properties } as unknown as EffectiveDevice;
}

test("planTopics() groups properties by the topic their templates give, with the higher qos", () => {
  const topics = "plant/${tenant}/${device}";
  const plan = planTopics("acme", device({ a: [topics, 0], b: [topics, 1], c: ["p/${property}", 0] }));
  assert.deepEqual(plan.groups, [
    { topic: "plant/acme/press-3", qos: 1, properties: new Set(["a", "b"]) },
    { topic: "p/c", qos: 0, properties: new Set(["c"]) },
  ]);
});

test("planTopics() names templates that give no topic one may publish to", () => {
  const bad = ["a/#", "a/+/b", "${unknown}", "", "a\0b", "$SYS/x", "x".repeat(513), "/".repeat(100), "${constructor}"];
  const plan = planTopics("acme", device(Object.fromEntries(bad.map((template, at) => [`p${at}`, [template, 0]]))));
  assert.deepEqual(plan.groups, []);
  assert.deepEqual(
    plan.broken.map(({ template }) => template),
    bad,
  );
});
