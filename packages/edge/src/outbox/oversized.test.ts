import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, batchFromSamples, type DeviceUid, limits, type Micros } from "@penstock/model";
import { metricsRegistry, silentLog, systemRandom } from "@penstock/runtime";
import { SimClock, simDisk } from "@penstock/testkit";
import { openOutbox } from "./outbox.ts";
import { testBatch } from "./outbox-fixture.ts";

test("outbox.append() refuses a batch that no link message could carry, counts it, and goes on", async () => {
  const outbox = await openOutbox({
    ...{
      files: simDisk({ random: systemRandom }).files,
      folder: "/outbox",
      clock: new SimClock(),
      random: systemRandom,
    },
    ...{
      log: silentLog,
      metrics: metricsRegistry(),
      bounds: { bytes: 1e9, ageMs: 1e9 },
      policy: "drop-oldest" as const,
    },
  });
  const names = Array.from({ length: 130 }, (_, i) => `p${String(i).padStart(3, "0")}`);
  const properties = names.map((name) => ({ name, type: "string" as const }));
  const samples = names.map((property) => ({
    ...{ property, time: 1 as Micros, quality: "good" as const, reason: null },
    value: "x".repeat(limits.stringValueBytes),
  }));
  const { batch } = batchFromSamples({ layout: { id: 0, device: "d" as DeviceUid, properties }, samples });
  await assert.rejects(outbox.append(batch), (error) => error instanceof AppError && error.code === "input/too-large");
  assert.equal(outbox.stats().refused, 130);
  assert.equal(outbox.stats().full, false);
  assert.equal((await outbox.append(testBatch({ number: 1 }))).firstSeq, 1);
  await outbox.close();
});
