import { AppError, limits, type RuleLookupSpec } from "@penstock/model";
import type { LookupRow, ObjectValue } from "@penstock/rules";
import { unreachable } from "../sinks/delivery/peer-error.ts";
import type { Database } from "../sinks/sql/database.ts";
import { dialectOf, openDatabase } from "../sinks/sql/open-database.ts";
import {
  type Dialect,
  parameterMark,
  parameterOf,
  quoted,
  quotedTable,
  type SqlParameter,
  type Statement,
} from "../sinks/sql/statement.ts";
import { bounded, type LookupPeer, type PeerAnswer } from "./lookup-peer.ts";
import { isNoMistake } from "./meets.ts";

type Settings = NonNullable<RuleLookupSpec["sql"]>;

/**
 * The value is none that the column could have, so no row has it: no number, out of range, no moment.
 *
 * @source PostgreSQL 15, appendix A
 */
const impossible = /\((22P02|22003|22007|22008)\)$/;

/** Rows of a table of PostgreSQL, MySQL or MariaDB; several questions are one statement. */
export class SqlLookup implements LookupPeer {
  readonly name: string;
  readonly most = 50;
  readonly #settings: Settings;
  readonly #dialect: Dialect;
  #database: Database | null = null;

  constructor(settings: Settings) {
    const { protocol, host, pathname } = new URL(settings.url);
    this.#settings = settings;
    this.#dialect = dialectOf(settings);
    this.name = `${protocol}//${host}${pathname}`;
  }

  async ask(questions: readonly ObjectValue[], signal: AbortSignal): Promise<readonly PeerAnswer[]> {
    this.#database ??= await openDatabase(this.#settings);
    const database = this.#database;
    const drop = () => {
      if (this.#database === database) this.#database = null;
      database.destroy();
    };
    if (signal.aborted) {
      drop();
      throw unreachable(`ask ${this.name}`, "it took too long");
    }
    signal.addEventListener("abort", drop, { once: true });
    try {
      return await this.#answers(database, questions);
    } catch (error) {
      drop();
      throw error;
    } finally {
      signal.removeEventListener("abort", drop);
    }
  }

  async close(): Promise<void> {
    this.#database?.destroy();
    this.#database = null;
  }

  /** @throws AppError rules/sink-unreachable */
  async #answers(database: Database, questions: readonly ObjectValue[]): Promise<readonly PeerAnswer[]> {
    try {
      const found = await database.ask(selectOf(this.#dialect, this.#settings.table, questions));
      const names = found.columns.slice(1);
      const answers = questions.map((): LookupRow[] => []);
      for (const [number, ...values] of found.rows) {
        const row = Object.fromEntries(names.map((name, at) => [name, values[at]!]));
        const at = Number(number);
        if (isNoMistake(row, questions[at]!)) answers[at]!.push(row);
      }
      return answers.map(bounded);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "rules/sink-refused") throw error;
      if (questions.length === 1) return [impossible.test(error.message) ? [] : { failure: error.message }];
      const each: PeerAnswer[] = [];
      for (const question of questions) each.push(...(await this.#answers(database, [question])));
      return each;
    }
  }
}

/** What answers several questions: each row begins with the number of its question. */
export function selectOf(dialect: Dialect, table: string, questions: readonly ObjectValue[]): Statement {
  const parameters: SqlParameter[] = [];
  const selects = questions.map((question, number) => {
    const conditions = Object.entries(question).map(([column, value]) => {
      parameters.push(textOf(parameterOf(dialect, value)));
      return `t.${quoted(dialect, column)} = ${parameterMark(dialect, parameters.length)}`;
    });
    return `(SELECT ${number}, t.* FROM ${quotedTable(dialect, table)} AS t WHERE ${conditions.join(" AND ")} LIMIT ${limits.lookupRows + 1})`;
  });
  return { sql: selects.join(" UNION ALL "), parameters };
}

/** As text, of which the database makes what the column is: of a number MySQL would compare with texts that begin with it. */
function textOf(value: SqlParameter): SqlParameter {
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" ? String(value) : value;
}
