import assert from "node:assert/strict";
import { test } from "node:test";
import { Instant, type ObjectValue } from "@penstock/rules";
import { needs } from "@penstock/testkit";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { mariadb, postgres } from "../sinks/sql/fake-databases.ts";
import { SqlLookup, selectOf } from "./sql-lookup.ts";

const never = new AbortController().signal;
const plain = (rows: unknown) =>
  Array.isArray(rows) ? (rows as ObjectValue[]).map((row) => ({ ...row })) : (rows as { failure: string });
const moment = new Instant(1_800_000_000_123_456);

test("selectOf() has no value in its text, and names as they are", () => {
  const questions = [
    { id: 5n, 'na`"me': "x'; DROP TABLE t" },
    { id: 1.5, 'na`"me': true },
  ];
  const inPostgres = selectOf("postgres", "plant.batch", questions);
  assert.match(
    inPostgres.sql,
    /^\(SELECT 0, t\.\* FROM "plant"\."batch" AS t WHERE t\."id" = \$1 AND t\."na`""me" = \$2 LIMIT 1001\) UNION ALL \(/,
  );
  assert.deepEqual(inPostgres.parameters, ["5", "x'; DROP TABLE t", "1.5", "1"]);
  assert.match(selectOf("mysql", "batch", questions).sql, /WHERE t\.`id` = \? AND t\.`na``"me` = \? LIMIT/);
});

test("rows of PostgreSQL are found by any types, with exact values", needs("postgresql"), async () => {
  const server = await postgres();
  const asker = new pg.Client({ host: "127.0.0.1", port: server.port, user: "plant", database: "postgres" });
  const url = `postgres://127.0.0.1:${server.port}/postgres`;
  const lookup = new SqlLookup({ url, user: "plant", table: "batch" });
  const missing = new SqlLookup({ url, user: "plant", table: "nowhere" });
  try {
    await asker.connect();
    await asker.query(`CREATE TABLE batch (id int, "Code" text, big bigint, num numeric, f float8, ok boolean, at timestamptz,
      bare timestamp, day date, raw bytea, part jsonb, old json)`);
    await asker.query(
      `INSERT INTO batch VALUES (5, 'a', 9007199254740993, 1.25, 'NaN', true, $1, '2027-01-15 08:00:00', '2027-01-15', '\\x00ff', '{"a": [1]}', '[2]'),
      (6, 'b', null, null, null, null, null, null, null, null, null, null), (6, 'A', null, null, null, null, null, null, null, null, null, null)`,
      ["2027-01-15T08:00:00.123456Z"],
    );
    const answers = await lookup.ask([{ id: 5n }, { id: 6, Code: "A" }, { id: 7n }, { id: 5.5 }], never);
    const empty = {
      big: null,
      num: null,
      f: null,
      ok: null,
      at: null,
      bare: null,
      day: null,
      raw: null,
      part: null,
      old: null,
    };
    assert.deepEqual(answers.map(plain), [
      [
        {
          ...{ id: 5n, Code: "a", big: 9_007_199_254_740_993n, num: 1.25, f: null, ok: true, at: moment },
          ...{
            bare: new Instant(1_800_000_000_000_000),
            day: "2027-01-15",
            raw: new Uint8Array([0, 255]),
            part: { a: [1] },
            old: [2],
          },
        },
      ],
      [{ id: 6n, Code: "A", ...empty }],
      [],
      [],
    ]);
    // One of several that the column cannot have takes nothing from the others; by a moment, and by a boolean.
    const more = await lookup.ask([{ id: "five" }, { id: 5n }, { at: moment }, { ok: true }], never);
    assert.deepEqual(
      more.map((rows) => (rows as readonly unknown[]).length),
      [0, 1, 1, 1],
    );
    const [no] = await lookup.ask([{ nothing: 1n }], never);
    assert.match((no as { failure: string }).failure, /column t\.nothing does not exist \(42703\)/);
    assert.match(
      ((await missing.ask([{ id: 1n }], never))[0] as { failure: string }).failure,
      /"nowhere" does not exist/,
    );
    await asker.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'penstock'");
    await assert.rejects(lookup.ask([{ id: 5n }], never), { code: "rules/sink-unreachable" });
    assert.equal(((await lookup.ask([{ id: 5n }], never))[0] as readonly unknown[]).length, 1, "a new connection");
    // A question that takes too long is given up, and the next has a connection of its own.
    await asker.query("BEGIN; LOCK TABLE batch");
    const abort = new AbortController();
    const stalled = lookup.ask([{ id: 5n }], abort.signal);
    while ((await asker.query("SELECT 1 FROM pg_locks WHERE NOT granted")).rowCount === 0);
    abort.abort();
    await assert.rejects(stalled);
    await asker.query("ROLLBACK");
    assert.equal(((await lookup.ask([{ id: 5n }], never))[0] as readonly unknown[]).length, 1);
  } finally {
    await asker.end();
    await lookup.close();
    await missing.close();
    await server.close();
  }
});

test("rows of MariaDB are found, and no number is made of a text", needs("mariadb-server"), async () => {
  const server = await mariadb();
  const asker = await createConnection({ host: "127.0.0.1", port: server.port, user: "root" });
  const lookup = new SqlLookup({ url: `mysql://127.0.0.1:${server.port}/plant`, user: "root", table: "plant.batch" });
  try {
    await asker.query("CREATE DATABASE plant");
    await asker.query(
      "CREATE TABLE plant.batch (id INT, code VARCHAR(9), big BIGINT UNSIGNED, num DECIMAL(9,2), f DOUBLE, ok BOOLEAN, at DATETIME(6), day DATE, raw BLOB, part JSON)",
    );
    await asker.query(
      `INSERT INTO plant.batch VALUES (5, 'a', 18446744073709551615, 1.25, 0.1, true, '2027-01-15 08:00:00.123456', '2027-01-15', x'00ff', '{"a": [1]}')`,
    );
    await asker.query("INSERT INTO plant.batch (id, code) VALUES (0, '5x')");
    const [rows, none, mistaken, byText, byMoment] = await lookup.ask(
      [{ id: 5n }, { id: 7n }, { id: "abc" }, { code: 5n }, { at: moment }],
      never,
    );
    assert.deepEqual(plain(rows), [
      {
        ...{ id: 5n, code: "a", big: 18_446_744_073_709_551_615n, num: 1.25, f: 0.1, ok: 1n, at: moment },
        ...{ day: "2027-01-15", raw: new Uint8Array([0, 255]), part: { a: [1] } },
      },
    ]);
    assert.deepEqual([none, mistaken, byText], [[], [], []], "0 is not abc, and 5x is not 5");
    assert.equal((byMoment as readonly unknown[]).length, 1);
    const [no] = await lookup.ask([{ nothing: 1n }], never);
    assert.match((no as { failure: string }).failure, /Unknown column .*nothing.*\(1054\)/);
    await server.stop();
    await assert.rejects(lookup.ask([{ id: 5n }], never), { code: "rules/sink-unreachable" });
  } finally {
    asker.destroy();
    await lookup.close();
    await server.close();
  }
});
