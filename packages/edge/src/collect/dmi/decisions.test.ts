import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assignConnections } from "./assign-connections.ts";
import { nextStep } from "./next-step.ts";
import { reportedValue } from "./reported-value.ts";

const prints = fc
  .dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1", "2"))
  .map((one) => new Map(Object.entries(one)));

test("nextStep brings any mapper to any truth in as few calls as differ, and then is silent", () => {
  fc.assert(
    fc.property(prints, prints, (before, wanted) => {
      const held = new Map(before);
      const differing = new Set([...before.keys(), ...wanted.keys()]);
      for (const key of differing) if (before.get(key) === wanted.get(key)) differing.delete(key);
      let calls = 0;
      for (let step = nextStep(held, wanted, () => false); step !== null; step = nextStep(held, wanted, () => false)) {
        assert.equal(step.do === "add", !held.has(step.key));
        if (step.do === "remove") held.delete(step.key);
        else held.set(step.key, wanted.get(step.key)!);
        assert.ok(++calls <= differing.size);
      }
      assert.deepEqual(new Map([...held].sort()), new Map([...wanted].sort()));
      assert.equal(calls, differing.size);
    }),
  );
});

test("nextStep leaves out a device that the mapper refused a moment ago, and goes on with the others", () => {
  const wanted = new Map([
    ["a", "1"],
    ["b", "1"],
  ]);
  assert.deepEqual(
    nextStep(new Map(), wanted, (key) => key === "a"),
    { do: "add", key: "b" },
  );
});

test("assignConnections moves only the share of a mapper that comes or goes, and keeps a named one to its mapper", () => {
  const connections = Array.from({ length: 200 }, (_, i) => ({ uid: `c${i}`, mapper: i === 0 ? "b" : undefined }));
  const of = (...names: string[]) =>
    assignConnections(
      connections,
      names.map((name) => ({ name, isAway: false })),
    );
  const two = of("a", "b");
  const three = of("c", "b", "a");
  const shares = ["a", "b", "c"].map((name) => [...three.values()].filter((one) => one === name).length);
  assert.ok(
    shares.every((share) => share > 30),
    `shares ${shares}`,
  );
  for (const [uid, name] of three) if (name !== "c") assert.equal(two.get(uid), name);
  assert.equal(of("a").get("c0"), null);
  assert.equal(of("a").get("c1"), "a");
  assert.equal(of().get("c1"), null);
  const away = assignConnections(connections, [
    { name: "a", isAway: true },
    { name: "b", isAway: false },
  ]);
  assert.ok([...away.values()].every((name) => name === "b"));
});

test("reportedValue reads what mappers in other languages write, and guesses at nothing", () => {
  const good = [
    ["bool", "True", true],
    ["bool", "0", false],
    ["int64", "+7", 7n],
    ["uint8", "7.0", 7],
    ["int64", "9223372036854775807", 2n ** 63n - 1n],
    ["float64", "1e-3", 0.001],
    ["float32", " 0.1 ", Math.fround(0.1)],
    ["string", " as it is ", " as it is "],
  ] as const;
  for (const [type, text, value] of good) assert.deepEqual(reportedValue(type, text), { value }, text);
  const bad = [
    ["bool", "yes", "mapper/bad-answer"],
    ["int8", "128", "mapper/bad-answer"],
    ["int64", "7.5", "mapper/bad-answer"],
    ["int64", "", "mapper/bad-answer"],
    ["float64", "warm", "mapper/bad-answer"],
    ["float64", "NaN", "mapper/value-not-finite"],
    ["float32", "-Inf", "mapper/value-not-finite"],
    ["bytes", "***", "mapper/bad-answer"],
  ] as const;
  for (const [type, text, reason] of bad) assert.deepEqual(reportedValue(type, text), { value: null, reason }, text);
});
