import assert from "node:assert/strict";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { openSqlite } from "@penstock/runtime";
import { createBlockReader } from "./block-reader.ts";
import { createLayouts } from "./layouts.ts";
import { readAllReadings } from "./read-all-readings.ts";
import { createSealer, removeUnsealed } from "./seal-job.ts";
import { boot, epoch, fill, layoutOf, lines, node, openStore, temporaryFolder, tenant } from "./store-fixture.ts";

// The promise: at whatever point of a sealing the machine stops, every reading is there once.
test("sealing cut between any two slices leaves every reading exactly once", async () => {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  const source = await store.openSource({ tenant, node, epoch, boot });
  const readings = lines(await fill(store, source, { layouts: [layoutOf("d1")], ticks: 12, seed: 5 }));
  await store.close();

  const db = openSqlite({ path: join(folder, "series.db") });
  const ids = Float64Array.from(db.prepare("SELECT id FROM hot ORDER BY id").all(), (row) => Number(row.id));
  const copies: string[] = [];
  // Every slice ends at once, and the files as they stand are put aside, as a kill would leave them.
  const slices = {
    isOver: () => true,
    async next() {
      const copy = temporaryFolder();
      for (const file of ["series.db", "series.db-wal"]) {
        if (existsSync(join(folder, file))) copyFileSync(join(folder, file), join(copy, file));
      }
      copies.push(copy);
    },
  };
  await createSealer({ db, layouts: createLayouts(db) })({ layout: 1, ids }, slices);
  await slices.next();
  db.close();
  assert.ok(copies.length > 14, "a slice for every series");

  let unsealed = 0;
  for (const copy of copies) {
    // As it is, and after the next start has cleaned up.
    assert.deepEqual(lines(readAllReadings(copy)), readings);
    const opened = openSqlite({ path: join(copy, "series.db") });
    unsealed += Number(opened.prepare("SELECT count(*) AS n FROM block WHERE sealed = 0").get()!.n);
    const sealed = Number(opened.prepare("SELECT count(*) AS n FROM block WHERE sealed = 1").get()!.n);
    const inSight = createBlockReader(opened).between(1, 0 as Micros, (2 ** 52) as Micros);
    assert.equal(inSight.length, sealed, "queries see sealed blocks only");
    removeUnsealed(opened);
    const left = opened.prepare(
      "SELECT (SELECT count(*) FROM chunk) AS chunks, (SELECT coalesce(sum(width), 0) FROM block) AS expected",
    );
    const { chunks, expected } = left.get()!;
    assert.equal(chunks, expected);
    opened.close();
    assert.deepEqual(lines(readAllReadings(copy)), readings);
  }
  assert.ok(unsealed > 10, "some were cut in the middle");
});
