import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredTable } from "./declared-table.ts";

test("declaredTable() tells streams, tables that are kept, and those that are asked", () => {
  assert.equal(declaredTable({}), undefined);
  assert.deepEqual(declaredTable({ table: {} }), { t: "scan", rows: null, key: null });
  assert.deepEqual(declaredTable({ table: { rows: 3, key: "id" } }), { t: "scan", rows: 3, key: "id" });
  const http = { url: "http://plant/x" };
  assert.deepEqual(declaredTable({ lookup: { http } }), { t: "lookup", keepMicros: 60_000_000, most: 10_000 });
  const stated = { http, ttl: "0.5ms", most: 5 };
  assert.deepEqual(declaredTable({ lookup: stated }), { t: "lookup", keepMicros: 500, most: 5 });
});
