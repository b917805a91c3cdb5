import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkTopicFilter, coversFilter, filtersOf, matchesFilter, mayPublish, maySubscribe } from "./topic-filter.ts";

/** Another way to say MQTT 5.0, 4.7: a filter as a regular expression over the levels. */
function reference(filter: string, topic: string): boolean {
  const pattern = filter
    .split("/")
    .map((level) => (level === "+" ? "[^/]*" : level === "#" ? "#" : level.replace(/[$.]/g, "\\$&")))
    .join("/")
    .replace(/^#$/, ".*")
    .replace(/\/#$/, "(/.*)?");
  return new RegExp(`^${pattern}$`, "s").test(topic) && !(topic.startsWith("$") && /^[+#]/.test(filter));
}

const names = ["a", "b", "", "$x"];
const topics = [1, 2, 3].flatMap(function paths(length: number): string[] {
  return length === 0
    ? []
    : length === 1
      ? names
      : names.flatMap((name) => paths(length - 1).map((rest) => `${name}/${rest}`));
});
const filter = fc
  .tuple(fc.array(fc.constantFrom(...names, "+"), { maxLength: 3 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ["#"] : [])].join("/"))
  .filter((text) => text !== "");

test("matchesFilter() says what the standard says", () => {
  fc.assert(
    fc.property(filter, fc.constantFrom(...topics), (one, topic) => {
      assert.equal(matchesFilter(one, topic), reference(one, topic), `${one} ${topic}`);
    }),
    { numRuns: 5000 },
  );
});

// One that is too wide hands an application what another one's right protects.
test("coversFilter() is true exactly when every topic of the one is a topic of the other", () => {
  fc.assert(
    fc.property(filter, filter, (wide, narrow) => {
      const all = topics.every((topic) => !matchesFilter(narrow, topic) || matchesFilter(wide, topic));
      // Topics here are at most three levels long: a filter that reaches deeper is not told apart from one that does not.
      if (coversFilter(wide, narrow)) assert.ok(all, `${wide} ${narrow}`);
      else if (!narrow.includes("#"))
        assert.ok(!all || !topics.some((topic) => matchesFilter(narrow, topic)), `${wide} ${narrow}`);
    }),
    { numRuns: 5000 },
  );
  assert.ok(coversFilter("+/#", "#"));
  assert.ok(coversFilter("a/#", "a"));
  assert.ok(!coversFilter("a/+", "a/#"));
  assert.ok(!coversFilter("#", "$ke/#"));
});

test("a right to publish reaches the gateway's own topics only by their name, and the broker's never", () => {
  for (const topic of ["penstock/acme/press/data", "$hw/events/x", "$ke/events/x", "spBv1.0/acme/DDATA/gw/press"]) {
    assert.equal(mayPublish(["#", "+/#", "$SYS/#"], topic), false, topic);
    assert.equal(mayPublish([`${topic.split("/")[0]}/#`], topic), true, topic);
  }
  assert.equal(mayPublish(["#", "$SYS/#", "$share/#"], "$SYS/x"), false);
  assert.equal(mayPublish(["plant/+/set"], "plant/press/set"), true);
  assert.equal(mayPublish([], "plant/press/set"), false);
});

test("%u is the user's name, in rights to publish and to subscribe", () => {
  const filters = filtersOf(["apps/%u/#"], "hmi");
  assert.ok(mayPublish(filters, "apps/hmi/x") && !mayPublish(filters, "apps/other/x"));
  assert.ok(maySubscribe(filters, "apps/hmi/+") && !maySubscribe(filters, "apps/+/x"));
});

test("checkTopicFilter() names what a filter must be", () => {
  for (const good of ["#", "+/a/#", "$ke/#", "a//b", "/"]) assert.deepEqual(checkTopicFilter(good, "f"), [], good);
  const bad = ["a#", "#/a", "a+/b", "a\u0000", "\ud800", "$SYS/#", "$share/g/a", "x".repeat(513), "/".repeat(100)];
  for (const text of bad) {
    const [fault] = checkTopicFilter(text, "spec.mqtt");
    assert.equal(fault?.field, "spec.mqtt", text);
    assert.match(fault.rule, /^must /);
  }
});
