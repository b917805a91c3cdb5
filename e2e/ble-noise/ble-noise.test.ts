import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "@penstock/testkit";
import { playNoise } from "./play-noise.ts";

// A minute, and memory, is e2e/ble-noise/main.ts's business.
test("noise from bluetoothd and the bus gives no wrong value, and none without a verdict", needs("dbus"), async () => {
  const { findings } = await playNoise({ seconds: 4, seed: 11 });
  assert.deepEqual(findings, []);
});
