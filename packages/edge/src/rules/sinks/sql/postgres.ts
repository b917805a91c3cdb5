import type { Value } from "@penstock/rules";
import type { CustomTypesConfig } from "pg";
import { refused, saidBy, unreachable } from "../delivery/peer-error.ts";
import { connectTimeoutMs, type Database, type DatabaseAddress, queryTimeoutMs } from "./database.ts";
import { postgresValue } from "./postgres-value.ts";

/**
 * SQLSTATE classes that are about the rows: data exceptions, broken constraints, wrong types and unknown columns. A table
 * that is not there, or not ours, may be there later.
 *
 * @source PostgreSQL 15, appendix A
 */
const refusing = /^(22|23|42)/;
const mendable: readonly string[] = ["42P01", "42501", "3F000"];
/** About the connection, the server's means, or who comes at the same time; every other class is about what was asked. */
const passing = /^(08|40|53|55|57|58)/;
const isState = (code: string) => /^[0-9A-Z]{5}$/.test(code);
const types = { getTypeParser: (oid: number) => (text: string) => postgresValue(oid, text) };

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
        const isRefusal = isState(code) && refusing.test(code) && !mendable.includes(code);
        throw (isRefusal ? refused : unreachable)(isRefusal ? "insert" : what, `${saidBy(error)} (${code})`, error);
      }
    },
    async ask({ sql, parameters }) {
      try {
        const { fields, rows } = await client.query<Value[]>({
          ...{ text: sql, values: [...parameters], rowMode: "array" },
          // Its own type knows parsers of texts and of bytes apart: here all are texts.
          types: types as unknown as CustomTypesConfig,
        });
        return { columns: fields.map(({ name }) => name), rows };
      } catch (error) {
        const code = (error as { code?: string }).code ?? "";
        const isRefusal = isState(code) && !passing.test(code);
        throw (isRefusal ? refused : unreachable)(isRefusal ? "look up" : what, `${saidBy(error)} (${code})`, error);
      }
    },
    destroy,
    close: () => client.end(),
  };
}
