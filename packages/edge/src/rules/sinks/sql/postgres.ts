import { refused, saidBy, unreachable } from "../delivery/peer-error.ts";
import { connectTimeoutMs, type Database, type DatabaseAddress, queryTimeoutMs } from "./database.ts";

/**
 * SQLSTATE classes that are about the rows: data exceptions, broken constraints, wrong types and unknown columns. A table
 * that is not there, or not ours, may be there later.
 *
 * @source PostgreSQL 15, appendix A
 */
const refusing = /^(22|23|42)/;
const mendable: readonly string[] = ["42P01", "42501", "3F000"];

/** @throws AppError rules/sink-unreachable */
export async function openPostgres(address: DatabaseAddress): Promise<Database> {
  // Loaded when needed: most gateways have no such sink.
  const { Client } = (await import("pg")).default;
  const { host, port, database, user, password, tls } = address;
  const what = `reach ${host}:${port}/${database}`;
  const client = new Client({
    ...{ host, port, database, user, password, application_name: "penstock" },
    ...{ connectionTimeoutMillis: connectTimeoutMs, query_timeout: queryTimeoutMs },
    ssl: tls === "none" ? false : { rejectUnauthorized: tls === "proven" },
  });
  // Of a connection that ends while nothing is asked: the next question finds it ended.
  client.on("error", () => {});
  const destroy = () =>
    void (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  try {
    await client.connect();
  } catch (error) {
    destroy();
    throw unreachable(what, saidBy(error), error);
  }
  return {
    async run({ sql, parameters }) {
      try {
        await client.query(sql, [...parameters]);
      } catch (error) {
        const code = (error as { code?: string }).code ?? "";
        const isRefusal = /^[0-9A-Z]{5}$/.test(code) && refusing.test(code) && !mendable.includes(code);
        throw (isRefusal ? refused : unreachable)(isRefusal ? "insert" : what, `${saidBy(error)} (${code})`, error);
      }
    },
    destroy,
    close: () => client.end(),
  };
}
