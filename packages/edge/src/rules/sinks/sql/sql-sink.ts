import { AppError, type RuleActionOf } from "@penstock/model";
import type { Courier, Parcel, Refusal } from "../delivery/courier.ts";
import { Delivery } from "../delivery/delivery.ts";
import { oneByOneWhenRefused } from "../delivery/one-by-one.ts";
import type { OpenSink } from "../sink-parts.ts";
import type { Database } from "./database.ts";
import { insertsOf } from "./insert.ts";
import { dialectOf, openDatabase } from "./open-database.ts";
import type { Dialect } from "./statement.ts";

/** Rows of a table, those of a result or a batch in one statement. */
class SqlCourier implements Courier {
  readonly takesMany = true;
  readonly #settings: RuleActionOf<"sql">;
  readonly #dialect: Dialect;
  #database: Database | null = null;

  constructor(settings: RuleActionOf<"sql">) {
    this.#settings = settings;
    this.#dialect = dialectOf(settings);
  }

  addressOf(): string {
    return "";
  }

  async send(parcel: Parcel, signal: AbortSignal): Promise<readonly Refusal[]> {
    const { table, fields } = this.#settings;
    this.#database ??= await openDatabase(this.#settings);
    const database = this.#database;
    const onAbort = () => database.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await oneByOneWhenRefused(parcel, async (rows) => {
        const values = rows.map(({ row }) => row);
        for (const insert of insertsOf(this.#dialect, table, values, fields)) await database.run(insert);
      });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "rules/sink-refused")) {
        this.#database = null;
        database.destroy();
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    await this.#database?.close().catch(() => {});
    this.#database = null;
  }
}

export const openSql: OpenSink<"sql"> = (spec, parts) =>
  new Delivery({ kind: "sql", spec, courier: new SqlCourier(spec), parts });
