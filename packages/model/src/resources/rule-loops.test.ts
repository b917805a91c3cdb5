// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RuleEnds, RuleLoops, readsOf, writesOf } from "./rule-loops.ts";

function loopThrough(rule: RuleEnds, others: readonly RuleEnds[]) {
  const loops = new RuleLoops();
  for (const other of others) loops.add(other);
  return loops.through(rule);
}
const rule = (name: string, reads: string[], writes: string[]) => ({ name, reads, writes });

// Each result would make the next one: the gateway would do nothing else any more.
test("RuleLoops finds a rule that is fed with what it gives, by itself or by way of others", () => {
  assert.deepEqual(loopThrough(rule("a", ["oven.x"], ["oven.x"]), []), ["a", "a"]);
  assert.deepEqual(loopThrough(rule("a", ["oven.x"], ["*.x"]), []), ["a", "a"]);
  assert.deepEqual(loopThrough(rule("a", ["oven.x"], ["oven.*"]), []), ["a", "a"]);
  const b = rule("b", ["oven.y"], ["memory:s"]);
  const c = rule("c", ["memory:s"], ["oven.x"]);
  assert.deepEqual(loopThrough(rule("a", ["oven.x"], ["oven.y"]), [b, c]), ["a", "b", "c", "a"]);
});

test("RuleLoops has nothing against chains, forks and loops that others make", () => {
  const b = rule("b", ["oven.y"], ["oven.z"]);
  const own = rule("own", ["oven.z"], ["oven.z"]);
  assert.equal(loopThrough(rule("a", ["oven.x"], ["oven.y", "press.x", "memory:x"]), [b, own]), null);
  assert.equal(loopThrough(rule("b", ["oven.y"], ["oven.z"]), [own]), null);
});

test("writesOf() names what a rule gives to others", () => {
  const actions = [
    { series: { device: "oven", properties: { t: "clean" } } },
    { series: { device: "${d}" } },
    { memory: { stream: "s" } },
    { log: {} },
  ];
  assert.deepEqual(writesOf(actions, ["a", "b"]), ["oven.clean", "*.a", "*.b", "memory:s"]);
  assert.deepEqual(writesOf([{ mqtt: { topic: "a/b" } }], null), ["mqtt: a/b"]);
  assert.deepEqual(writesOf(actions.slice(1, 2), null), ["*.*"]);
});

// A rule that hears its own messages floods the gateway's broker, as one that reads its own series floods its disk.
test("RuleLoops follows topics of one broker, where the filter surely takes what is sent", () => {
  const mqtt = (topic: string, url?: string) => ({
    mqtt: { topic, ...(url !== undefined && { broker: { url } }) },
  });
  const ends = (name: string, reads: ReturnType<typeof mqtt>, writes: ReturnType<typeof mqtt>, chooses = false) => {
    const streams = [{ stream: "in", columns: ["x"] }];
    return rule(name, readsOf({ sources: { in: reads }, streams, chooses }), writesOf([writes], ["x"]));
  };
  const loop = (of: RuleEnds, others: readonly RuleEnds[] = []) => loopThrough(of, others)?.join(" ");
  assert.equal(loop(ends("a", mqtt("plant/#"), mqtt("plant/clean"))), "a a");
  assert.equal(loop(ends("a", mqtt("plant/+/x"), mqtt("plant/${x}/x"))), "a a");
  const b = ends("b", mqtt("clean/+"), mqtt("raw/1"));
  assert.equal(loop(ends("a", mqtt("raw/#"), mqtt("clean/${x}")), [b]), "a b a");
  assert.equal(loop(ends("a", mqtt("plant/1"), mqtt("plant/${x}"))), undefined, "it may be another one");
  assert.equal(loop(ends("a", mqtt("plant/#"), mqtt("plant/clean"), true)), undefined, "WHERE may leave them out");
  assert.equal(loop(ends("a", mqtt("plant/#", "mqtt://b"), mqtt("plant/clean"))), undefined, "another broker");
  assert.equal(loop(ends("a", mqtt("plant/#", "mqtt://b"), mqtt("plant/clean", "mqtt://b"))), "a a");
});
