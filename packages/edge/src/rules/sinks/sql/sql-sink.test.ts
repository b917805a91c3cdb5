import assert from "node:assert/strict";
import { test } from "node:test";
import { Instant } from "@penstock/rules";
import { needs } from "@penstock/testkit";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { outputOf, takeAll, testParts } from "../delivery/delivery-fixture.ts";
import { mariadb, postgres } from "./fake-databases.ts";
import { openSql } from "./sql-sink.ts";

const big = 9_007_199_254_740_993n;
const moment = new Instant(1_800_000_000_123_456);
const rows = [
  { "at first": moment, n: big, f: 0.1, ok: true, name: "o\"'`x", raw: new Uint8Array([0, 255]), part: { a: [1, 2n] } },
  { "at first": null, n: 2n, f: Number.NaN, ok: false, name: null, raw: null, part: null },
];
const quick = { retry: { first: "1ms", longest: "5ms" } } as const;

test(
  "rows of a batch become rows of PostgreSQL, of their types; the one that does not fit is given up",
  needs("postgresql"),
  async () => {
    const server = await postgres();
    const url = `postgres://127.0.0.1:${server.port}/postgres`;
    const asker = new pg.Client({ host: "127.0.0.1", port: server.port, user: "plant", database: "postgres" });
    const { parts, counted, published } = testParts();
    const sink = openSql({ ...quick, url, user: "plant", table: "plant.reading", deadLetter: "dead" }, parts);
    const late = openSql({ ...quick, url, user: "plant", table: "later" }, parts);
    try {
      await asker.connect();
      await asker.query(`CREATE SCHEMA plant; CREATE TABLE plant.reading
      ("at first" timestamptz, n bigint, f float8, ok boolean, name text, raw bytea, part jsonb)`);
      await sink.take(outputOf(...rows));
      const { rows: stored } = await asker.query<Record<string, unknown>>(
        `SELECT extract(epoch FROM "at first")::text AS at, n::text, f, ok, name, raw, part FROM plant.reading ORDER BY n DESC`,
      );
      assert.deepEqual(
        { ...stored[0] },
        {
          at: "1800000000.123456",
          n: String(big),
          f: 0.1,
          ok: true,
          name: "o\"'`x",
          raw: Buffer.from([0, 255]),
          part: { a: [1, 2] },
        },
      );
      assert.deepEqual({ ...stored[1] }, { at: null, n: "2", f: null, ok: false, name: null, raw: null, part: null });
      await sink.take(outputOf({ n: 3n }, { n: "three" }, { n: 4n }));
      const { rows: more } = await asker.query("SELECT n::int FROM plant.reading WHERE n IN (3, 4) ORDER BY n");
      assert.deepEqual(
        more.map((row) => (row as { n: number }).n),
        [3, 4],
      );
      assert.equal(counted("given_up_rows"), 1);
      assert.match(published[0]!.text, /22P02.*"row":\{"n":"three"\}/);
      // A table that somebody has yet to make is waited for; a connection that the server ends is made anew.
      const waiting = late.take(outputOf({ n: 1n }));
      await asker.query("CREATE TABLE later (n bigint)");
      await waiting;
      await asker.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'penstock'");
      await late.take(outputOf({ n: 2n }));
      assert.equal((await asker.query("SELECT n FROM later")).rowCount, 2);
    } finally {
      await asker.end();
      await sink.close();
      await late.close();
      await server.close();
    }
  },
);

test("rows of a batch become rows of MariaDB, and nothing is cut to fit", needs("mariadb-server"), async () => {
  const server = await mariadb();
  const url = `mysql://127.0.0.1:${server.port}/plant`;
  const asker = await createConnection({
    host: "127.0.0.1",
    port: server.port,
    user: "root",
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  const { parts, counted } = testParts();
  const sink = openSql({ ...quick, url, user: "root", table: "reading" }, parts);
  try {
    await asker.query("CREATE DATABASE plant");
    await asker.query(
      "CREATE TABLE plant.reading (`at first` DATETIME(6), n BIGINT, f DOUBLE, ok BOOLEAN, name VARCHAR(8), raw BLOB, part JSON)",
    );
    await takeAll(sink, [outputOf(...rows), outputOf({ n: 3n, name: "much longer than eight" }, { n: 4n })]);
    const [stored] = await asker.query(
      "SELECT CAST(`at first` AS CHAR) AS at, n, f, ok, name, raw, part FROM plant.reading ORDER BY n DESC",
    );
    const [first, second, third] = stored as Record<string, unknown>[];
    assert.deepEqual(
      { ...first },
      {
        at: "2027-01-15 08:00:00.123456",
        n: String(big),
        f: 0.1,
        ok: 1,
        name: "o\"'`x",
        raw: Buffer.from([0, 255]),
        part: { a: [1, 2] },
      },
    );
    assert.deepEqual([second!.n, third!.n, (stored as unknown[]).length], ["4", "2", 3]);
    assert.equal(counted("given_up_rows"), 1);
  } finally {
    await asker.end();
    await sink.close();
    await server.close();
  }
});
