import assert from "node:assert/strict";
import { test } from "node:test";
import { SimRandom } from "./sim-random.ts";

test("SimRandom repeats from its seed and differs between seeds", () => {
  const stream = (seed: number) => {
    const random = new SimRandom(seed);
    return [...random.bytes(7), random.number(), random.between(1, 6), random.fork().uint32()];
  };
  assert.deepEqual(stream(1), stream(1));
  assert.notDeepEqual(stream(1), stream(2));
  // Neighbouring seeds are what a run of seeds uses: their first numbers must not be alike.
  const firsts = new Set(Array.from({ length: 10_000 }, (_, seed) => new SimRandom(seed).uint32()));
  assert.ok(firsts.size > 9_990);
});

test("SimRandom is spread evenly", () => {
  const random = new SimRandom(3);
  const dice = [0, 0, 0, 0, 0, 0];
  let sum = 0;
  for (let i = 0; i < 60_000; i++) {
    dice[random.between(1, 6) - 1]!++;
    const x = random.number();
    assert.ok(x >= 0 && x < 1);
    sum += x;
  }
  for (const count of dice) assert.ok(Math.abs(count - 10_000) < 400, `${dice}`);
  assert.ok(Math.abs(sum / 60_000 - 0.5) < 0.01);
  let hits = 0;
  for (let i = 0; i < 10_000; i++) if (random.chance(0.1)) hits++;
  assert.ok(Math.abs(hits - 1000) < 120);
});
