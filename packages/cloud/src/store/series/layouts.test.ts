import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openSqlite } from "@penstock/runtime";
import { createLayouts } from "./layouts.ts";
import { prepareSchema } from "./schema.ts";
import { temporaryFolder, tenant } from "./store-fixture.ts";

test("get() holds layouts by the properties they have, and reads again what it let go", () => {
  const path = join(temporaryFolder(), "series.db");
  const db = openSqlite({ path });
  prepareSchema(db, path);
  const add = db.prepare("INSERT INTO layout (tenant, device, hash, properties) VALUES (?, ?, x'00', ?)");
  const properties = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => [`p${i}`, "float64"]));
  for (const [device, count] of [
    ["d1", 6],
    ["d2", 3],
    ["d3", 4],
    ["d4", 50],
  ] as const)
    add.run(tenant, device, properties(count));
  const layouts = createLayouts(db, 10);
  layouts.get(1);
  layouts.get(2);
  assert.equal(layouts.size, 2);
  layouts.get(3);
  assert.equal(layouts.size, 2, "the oldest went");
  assert.equal(layouts.get(1).properties.length, 6);
  // One beyond the bound by itself is held alone.
  assert.equal(layouts.get(4).properties.length, 50);
  assert.equal(layouts.size, 1);
  db.close();
});
