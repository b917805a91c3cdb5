import type { RowDataPacket } from "mysql2";
import { refused, saidBy, unreachable } from "../delivery/peer-error.ts";
import { connectTimeoutMs, type Database, type DatabaseAddress, queryTimeoutMs } from "./database.ts";
import { exact, mysqlValue } from "./mysql-value.ts";

/**
 * What is about the rows: SQLSTATE classes 22 and 23, and by number what stands in other classes: no default, cut off, bad
 * value, unknown column, not the JSON or the check it should be.
 *
 * @source MySQL 8.4 Error Message Reference; MariaDB error codes (4025: a CHECK failed)
 */
const refusingNumbers: readonly number[] = [1054, 1136, 1265, 1292, 1364, 1366, 3140, 3819, 4025];

/**
 * About the connection, the server's means, or who comes at the same time: too many connections, out of memory, it is
 * going down, a lock that others hold.
 */
const passingNumbers: readonly number[] = [
  1037, 1040, 1041, 1053, 1077, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 3024,
];

/** MySQL and MariaDB. @throws AppError rules/sink-unreachable */
export async function openMysql(address: DatabaseAddress): Promise<Database> {
  const { createConnection } = (await import("mysql2/promise")).default;
  const { host, port, database, user, password, tls } = address;
  const what = `reach ${host}:${port}/${database}`;
  const connection = await createConnection({
    ...{ host, port, database, user, password, connectTimeout: connectTimeoutMs, timezone: "Z" },
    ...(tls !== "none" && { ssl: { rejectUnauthorized: tls === "proven" } }),
  }).catch((error: unknown) => {
    throw unreachable(what, saidBy(error), error);
  });
  connection.on("error", () => {});
  const run = async (sql: string, parameters: readonly unknown[]) => {
    try {
      await connection.query({ sql, values: [...parameters], timeout: queryTimeoutMs });
    } catch (error) {
      const { errno = 0, sqlState = "" } = error as { errno?: number; sqlState?: string };
      const isRefusal = /^2[23]/.test(sqlState) || refusingNumbers.includes(errno);
      throw (isRefusal ? refused : unreachable)(isRefusal ? "insert" : what, `${saidBy(error)} (${errno})`, error);
    }
  };
  // Moments go as texts in UTC; and a value that does not fit is an error, whatever the server's mode, never cut to fit.
  await run("SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", []);
  return {
    run: ({ sql, parameters }) => run(sql, parameters),
    async ask({ sql, parameters }) {
      try {
        // Prepared by the server: no value becomes a part of the text.
        const options = { ...exact, sql, values: [...parameters], timeout: queryTimeoutMs, rowsAsArray: true };
        const [found, fields] = await connection.execute<RowDataPacket[][]>(options);
        const typeOf = (at: number) => fields[at]!.columnType ?? 0;
        const rows = found.map((row) => row.map((value: unknown, at) => mysqlValue(typeOf(at), value)));
        return { columns: fields.map(({ name }) => name), rows };
      } catch (error) {
        const { errno = 0, sqlState = "" } = error as { errno?: number; sqlState?: string };
        const isRefusal = sqlState !== "" && !/^(08|40)/.test(sqlState) && !passingNumbers.includes(errno);
        throw (isRefusal ? refused : unreachable)(isRefusal ? "look up" : what, `${saidBy(error)} (${errno})`, error);
      }
    },
    destroy: () => connection.destroy(),
    close: () => connection.end(),
  };
}
