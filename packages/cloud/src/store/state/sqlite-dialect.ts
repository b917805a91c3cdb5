import type { SqlClient, SqlStatement } from "@penstock/runtime";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { createTurns } from "./turns.ts";

/**
 * Kysely over two SQLite workers. Selects outside a transaction go to the reader and see the last commit; everything else
 * goes to the writer, where a transaction holds the turn until it ends, so that no other statement comes in between.
 */
export function sqliteDialect(workers: { readonly writer: SqlClient; readonly reader: SqlClient }): Dialect {
  return {
    createAdapter: () => new TransactionalDdl(),
    createDriver: () => sqliteDriver(workers),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Tables are made and changed in one transaction, so that a full disk or a cut leaves none half made; Kysely's own says no. */
class TransactionalDdl extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

interface Connection extends DatabaseConnection {
  begin(): Promise<void>;
  finish(sql: "commit" | "rollback"): Promise<void>;
  release(): void;
}

function sqliteDriver({ writer, reader }: { readonly writer: SqlClient; readonly reader: SqlClient }): Driver {
  const turns = createTurns();

  function connect(): Connection {
    let endTurn: (() => void) | null = null;
    const release = () => {
      endTurn?.();
      endTurn = null;
    };
    return {
      async begin() {
        endTurn = await turns.take();
        try {
          await writer.call("run", { sql: "begin immediate", parameters: [] });
        } catch (error) {
          release();
          throw error;
        }
      },
      async finish(sql) {
        // Kysely rolls back after a failed commit too; then SQLite has already ended the transaction or still holds it.
        if (endTurn === null) return;
        const ended = writer.call("run", { sql, parameters: [] });
        // After some errors, a full disk among them, SQLite has rolled back by itself: what went wrong before is what matters.
        if (sql === "rollback") await ended.catch(() => {});
        else await ended;
        release();
      },
      release() {
        // A transaction that could not be ended must not swallow the statements of the next one.
        if (endTurn === null) return;
        const end = endTurn;
        endTurn = null;
        writer.call("run", { sql: "rollback", parameters: [] }).then(end, end);
      },
      async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
        const statement = { sql: query.sql, parameters: query.parameters as SqlStatement["parameters"] };
        if (endTurn !== null) return toResult(await writer.call("run", statement));
        if (query.query.kind === "SelectQueryNode") return toResult(await reader.call("run", statement));
        const end = await turns.take();
        try {
          return toResult(await writer.call("run", statement));
        } finally {
          end();
        }
      },
      // biome-ignore lint/correctness/useYield: the driver contract wants a generator; rows come whole over the port
      async *streamQuery() {
        throw new Error("Rows cannot be streamed from a worker; page through them instead");
      },
    };
  }

  return {
    async init() {},
    acquireConnection: async () => connect(),
    beginTransaction: (connection) => (connection as Connection).begin(),
    commitTransaction: (connection) => (connection as Connection).finish("commit"),
    rollbackTransaction: (connection) => (connection as Connection).finish("rollback"),
    releaseConnection: async (connection) => (connection as Connection).release(),
    async destroy() {},
  };
}

function toResult<R>(result: Awaited<ReturnType<SqlClient["call"]>>): QueryResult<R> {
  return {
    rows: result.rows as R[],
    numAffectedRows: BigInt(result.changes),
    insertId: BigInt(result.lastInsertRowid),
  };
}
