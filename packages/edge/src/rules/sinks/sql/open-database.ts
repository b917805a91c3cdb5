import { addressOf, type Database } from "./database.ts";
import { openMysql } from "./mysql.ts";
import { openPostgres } from "./postgres.ts";
import type { Dialect } from "./statement.ts";

/** A database as settings name it. */
export interface DatabaseSettings {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

export function dialectOf({ url }: DatabaseSettings): Dialect {
  return url.startsWith("mysql:") ? "mysql" : "postgres";
}

/** @throws AppError rules/sink-unreachable */
export function openDatabase(settings: DatabaseSettings): Promise<Database> {
  const open = dialectOf(settings) === "mysql" ? openMysql : openPostgres;
  return open(addressOf(settings));
}
