import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "@penstock/testkit";
import { playNoise } from "./play-noise.ts";
import { transports } from "./register-value.ts";

// A minute each, and memory, is e2e/modbus-noise/main.ts's business.
for (const transport of transports) {
  const needed = transport.endsWith("tcp") ? {} : needs("socat");
  test(`noise over ${transport} gives no wrong value, and none without a verdict`, needed, async () => {
    const { findings } = await playNoise({ transport, seconds: 2, seed: 11 });
    assert.deepEqual(findings, []);
  });
}
