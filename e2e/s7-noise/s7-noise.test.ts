import assert from "node:assert/strict";
import { test } from "node:test";
import { playNoise } from "./play-noise.ts";

// A minute, and memory, is e2e/s7-noise/main.ts's business.
test("noise into the S7 client gives no wrong value, and none without a verdict", async () => {
  const { findings } = await playNoise({ seconds: 2, seed: 11 });
  assert.deepEqual(findings, []);
});
