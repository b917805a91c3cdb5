import assert from "node:assert/strict";
import { test } from "node:test";
import { playGatewayNoise } from "./play-gateway-noise.ts";
import { playMapperNoise } from "./play-mapper-noise.ts";

// A minute, and memory, is e2e/dmi-noise/main.ts's business.
test("noise of a DMI mapper takes no value from an honest one beside it, and gives no wrong one", async () => {
  const { findings } = await playGatewayNoise({ seconds: 3, seed: 11 });
  assert.deepEqual(findings, []);
});

test("our Modbus mapper reports nothing wrong under a manager that makes noise, and all when it is well", async () => {
  const { findings } = await playMapperNoise({ seconds: 3, seed: 11 });
  assert.deepEqual(findings, []);
});
