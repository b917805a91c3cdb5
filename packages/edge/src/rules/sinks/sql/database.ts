import type { Value } from "@penstock/rules";
import type { Statement } from "./statement.ts";

/** One connection to a database. After a failure that is not a refusal it is thrown away. */
export interface Database {
  /** @throws AppError rules/sink-refused for the rows, rules/sink-unreachable */
  run(insert: Statement): Promise<void>;
  /**
   * Rows with values as rules know them: integers, floats, moments, bytes, JSON.
   *
   * @throws AppError rules/sink-refused for the statement, rules/sink-unreachable
   */
  ask(query: Statement): Promise<Table>;
  /** at once, whatever is in flight */
  destroy(): void;
  close(): Promise<void>;
}
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** none; encrypted, whoever it is; or proven by a certificate that this machine trusts */
  readonly tls: "none" | "unproven" | "proven";
}
export const connectTimeoutMs = 10_000;
export const queryTimeoutMs = 30_000;

/** @source PostgreSQL 15, 34.1.1.2: connection URIs; sslmode require and verify-full */
export function addressOf(given: {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}): DatabaseAddress {
  const url = new URL(given.url);
  const isPostgres = url.protocol.startsWith("postgres");
  const mode = url.searchParams.get("sslmode");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (isPostgres ? 5432 : 3306) : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: given.user ?? decodeURIComponent(url.username),
    password: given.password ?? decodeURIComponent(url.password),
    tls: mode === "verify-full" || mode === "verify-ca" ? "proven" : mode === "require" ? "unproven" : "none",
  };
}
