import assert from "node:assert/strict";
import { test } from "node:test";
import { playNoise } from "./play-noise.ts";

// A minute, and memory, is e2e/opcua-noise/main.ts's business.
test("noise on an OPC UA line gives no wrong value, and none without a verdict", async () => {
  const { findings } = await playNoise({ seconds: 4, seed: 11 });
  assert.deepEqual(findings, []);
});
