// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RuleEnds, RuleLoops, writesOf } from "./rule-loops.ts";

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
  assert.deepEqual(writesOf(actions.slice(1, 2), null), ["*.*"]);
});
