/** A worker thread that runs SQL on one SQLite file, one statement after another. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { openSqlite, type SqliteOptions, sqliteError } from "./sqlite.ts";
import { serveWorker } from "./worker-serve.ts";

export interface SqlStatement {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
}
export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[];
  readonly changes: number;
  readonly lastInsertRowid: number;
}
export interface SqlMethods {
  readonly [name: string]: (input: never) => unknown;
  readonly run: (statement: SqlStatement) => SqlResult;
}

/** Prepared statements kept; the least recently used goes. */
const statementsKept = 256;

let db: DatabaseSync | null = null;
const statements = new Map<string, { readonly statement: StatementSync; readonly reads: boolean }>();

function prepared(open: DatabaseSync, sql: string) {
  let found = statements.get(sql);
  if (found === undefined) {
    const statement = open.prepare(sql);
    found = { statement, reads: statement.columns().length > 0 };
    const oldest = statements.size >= statementsKept ? statements.keys().next().value : undefined;
    if (oldest !== undefined) statements.delete(oldest);
  } else statements.delete(sql);
  statements.set(sql, found);
  return found;
}

serveWorker<SqliteOptions>({
  open(options) {
    const opened = openSqlite(options);
    db = opened;
    return {
      run({ sql, parameters }: SqlStatement): SqlResult {
        try {
          const { statement, reads } = prepared(opened, sql);
          if (reads) return { rows: statement.all(...parameters), changes: 0, lastInsertRowid: 0 };
          const { changes, lastInsertRowid } = statement.run(...parameters);
          return { rows: [], changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
        } catch (error) {
          throw sqliteError(error, "Cannot run a statement");
        }
      },
    } satisfies SqlMethods;
  },
  close() {
    statements.clear();
    db?.close();
  },
});
