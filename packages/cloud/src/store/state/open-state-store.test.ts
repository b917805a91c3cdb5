import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { silentLog } from "@penstock/runtime";
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import type { Migration } from "kysely/migration";
import { stateMigrations } from "./migrations.ts";
import { openStateStore } from "./open-state-store.ts";

const folder = mkdtempSync(join(tmpdir(), "penstock-state-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function counter(name: string, value: number) {
  return { name, value };
}

test("openStateStore() keeps what was written over a close and an open", async () => {
  const first = await openStateStore({ folder, log: silentLog });
  await first.db.insertInto("counters").values(counter("kept", 7)).execute();
  await first.close();
  const second = await openStateStore({ folder, log: silentLog });
  const row = await second.db.selectFrom("counters").selectAll().where("name", "=", "kept").executeTakeFirst();
  assert.deepEqual({ ...row }, { name: "kept", value: 7 });
  await second.close();
});

test("state transactions run one after the other, and single writes never fall into one", async () => {
  const store = await openStateStore({ folder, log: silentLog });
  await store.db.insertInto("counters").values(counter("n", 0)).execute();
  const increment = () =>
    store.db.transaction().execute(async (tx) => {
      const { value } = await tx
        .selectFrom("counters")
        .select("value")
        .where("name", "=", "n")
        .executeTakeFirstOrThrow();
      await new Promise(setImmediate);
      await tx
        .updateTable("counters")
        .set({ value: value + 1 })
        .where("name", "=", "n")
        .execute();
    });
  const failing = store.db.transaction().execute(async (tx) => {
    await tx.updateTable("counters").set({ value: 1000 }).where("name", "=", "n").execute();
    throw new Error("called off");
  });
  const single = store.db.insertInto("counters").values(counter("beside", 1)).execute();
  await Promise.all([
    ...Array.from({ length: 20 }, increment),
    assert.rejects(failing, /called off/),
    single,
    ...Array.from({ length: 20 }, increment),
  ]);
  const rows = await store.db.selectFrom("counters").selectAll().where("name", "in", ["n", "beside"]).execute();
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row.name, row.value])), { n: 40, beside: 1 });
  await store.close();
});

test("a failing statement inside a transaction leaves the store usable", async () => {
  const store = await openStateStore({ folder, log: silentLog });
  await assert.rejects(
    store.db.transaction().execute(async (tx) => {
      await tx.insertInto("counters").values(counter("twice", 1)).execute();
      await tx.insertInto("counters").values(counter("twice", 2)).execute();
    }),
    /UNIQUE/,
  );
  const rows = await store.db.selectFrom("counters").selectAll().where("name", "=", "twice").execute();
  assert.equal(rows.length, 0);
  await store.db.insertInto("counters").values(counter("twice", 3)).execute();
  await store.close();
});

test("two live resources cannot share a name, a deleted one frees it", async () => {
  const store = await openStateStore({ folder, log: silentLog });
  const resource = (uid: string, deleted: number | null) => ({
    uid,
    tenant_uid: "t1",
    kind: "Device",
    name: "press-3",
    display_name: null,
    labels: "{}",
    spec: "{}",
    generation: 1,
    resource_version: 1,
    created_at: 1,
    updated_at: 1,
    deleted_at: deleted,
  });
  await store.db.insertInto("resources").values(resource("a", 5)).execute();
  await store.db.insertInto("resources").values(resource("b", null)).execute();
  await assert.rejects(store.db.insertInto("resources").values(resource("c", null)).execute(), /UNIQUE/);
  await store.close();
});

test("resources from before history was kept have their state as version 1, deleted ones too, those of the platform none", async () => {
  const here = join(folder, "before-history");
  mkdirSync(here);
  const store = await openStateStore({ folder: here, log: silentLog });
  for (const table of ["resource_versions", "change_sets"]) await store.db.schema.dropTable(table).execute();
  const resource = {
    kind: "Device",
    display_name: null,
    labels: '{"a":"1"}',
    spec: "{}",
    created_at: 1,
    updated_at: 2,
  };
  const rows = [
    { ...resource, uid: "a", tenant_uid: "t1", name: "live", generation: 3, resource_version: 7, deleted_at: null },
    { ...resource, uid: "b", tenant_uid: "t1", name: "gone", generation: 1, resource_version: 8, deleted_at: 2 },
    { ...resource, uid: "c", tenant_uid: "", name: "t1", generation: 1, resource_version: 9, deleted_at: null },
  ];
  await store.db.insertInto("resources").values(rows).execute();
  const migrations: Record<string, Migration> = await stateMigrations("sqlite").getMigrations();
  await migrations["0008-resource-history"]!.up(store.db);
  const versions = await store.db.selectFrom("resource_versions").selectAll().orderBy("uid").execute();
  assert.deepEqual(
    versions.map((row) => [row.uid, row.version, row.action, row.generation, row.resource_version, row.labels, row.at]),
    [
      ["a", 1, "create", 3, 7, '{"a":"1"}', 2],
      ["b", 1, "delete", 1, 8, '{"a":"1"}', 2],
    ],
  );
  await store.close();
});

test("openStateStore() says that a folder cannot be written", async () => {
  await assert.rejects(openStateStore({ folder: join(folder, "missing"), log: silentLog }), {
    code: "data/not-writable",
  });
});

test("the migrations compile for PostgreSQL too", async () => {
  const statements: string[] = [];
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (inner) => new PostgresIntrospector(inner),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: (event) => {
      statements.push(event.query.sql);
    },
  });
  const migrations: Record<string, Migration> = await stateMigrations("postgres").getMigrations();
  for (const migration of Object.values(migrations)) await migration.up(db);
  assert.ok(statements.some((sql) => sql.includes('"id" integer generated by default as identity')));
  assert.ok(statements.every((sql) => !sql.includes("autoincrement")));
});
