import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type BootId,
  batchFromSamples,
  type DeviceUid,
  type Epoch,
  type IngestEntry,
  type Layout,
  type Micros,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { metricsRegistry, silentLog, systemClock } from "@penstock/runtime";
import { encodeBatchBody } from "@penstock/wire";
import { createIngest } from "./ingest/create-ingest.ts";
import { openSeriesStore } from "./store/series/open-series-store.ts";

const identity = { tenant: "t1" as TenantUid, node: "n1" as NodeUid };
const layout: Layout = { id: 1, device: "d1" as DeviceUid, properties: [{ name: "note", type: "string" }] };
const noteBytes = 16_000;

function entry(seq: number): IngestEntry {
  // Unlike any other, so that nothing makes it smaller.
  const value = Buffer.from(Array.from({ length: noteBytes / 2 }, () => Math.random() * 256)).toString("hex");
  const time = (seq * 1000) as Micros;
  const samples = [{ property: "note", time, value, quality: "good" as const, reason: null }];
  return { firstSeq: seq, count: 1, layout, body: encodeBatchBody(batchFromSamples({ layout, samples }).batch) };
}

test("a series store whose disk is full acknowledges nothing more, keeps what it had, and goes on when there is room", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-full-"));
  t.after(() => {
    spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]).status !== 0)
    return t.skip("needs the right to mount a tmpfs: run as root, or allow user namespaces");
  const metrics = metricsRegistry();
  const store = await openSeriesStore({ folder, clock: systemClock(), log: silentLog, metrics });
  const ingest = createIngest({
    ...{ store, log: silentLog, metrics },
    wasAssigned: async () => true,
    onCommitted: () => {},
  });
  const { bavail, bsize } = statfsSync(folder);
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - 400_000));

  const hello = { boot: "b1" as BootId, epoch: "e1" as Epoch, lowest: 1, highest: 1000, recovered: 1000, settled: [] };
  const session = await ingest.begin(identity, hello);
  let acknowledged = 0;
  await assert.rejects(
    async () => {
      for (let seq = 1; seq <= 1000; seq++) {
        assert.deepEqual(await session.submit([entry(seq)]), [[seq, seq]]);
        acknowledged = seq;
      }
    },
    { code: "data/disk-full" },
  );
  assert.ok(acknowledged > 0, "there was room for some");
  await assert.rejects(session.submit([entry(acknowledged + 2)]), { code: "data/disk-full" }, "the session is over");
  const span = { from: 0 as Micros, to: 2_000_000 as Micros };
  const stored = async () =>
    (
      await store.query({
        ...{ tenant: identity.tenant, device: layout.device, property: "note", ...span },
        ...{ points: 10_000, aggregate: "raw" },
      })
    ).points.map(({ time }) => time / 1000);
  const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
  assert.deepEqual(await stored(), upTo(acknowledged));

  rmSync(ballast);
  const next = await ingest.begin(identity, hello);
  assert.deepEqual(next.held, [[1, acknowledged]]);
  await next.submit([entry(acknowledged + 1), entry(acknowledged + 2)]);
  assert.deepEqual(await stored(), upTo(acknowledged + 2));
  await store.close();
});
