import assert from "node:assert/strict";
import { test } from "node:test";
import { playNoise, protocols } from "./play-noise.ts";

// A minute each, and memory, is e2e/message-noise/main.ts's business.
for (const protocol of protocols) {
  test(`noise into the ${protocol} client gives no wrong value, and none without a verdict`, async () => {
    const { findings } = await playNoise({ protocol, seconds: 2, seed: 11 });
    assert.deepEqual(findings, []);
  });
}
