import type { ColumnType, Name, Select } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { TimeTexts } from "../value/compare.ts";
import type { Catalog, RowColumn, SourceLayout, StreamSchema } from "./stream-schema.ts";

interface Building {
  readonly schema: StreamSchema;
  readonly alias: string;
  readonly columns: RowColumn[];
}

/**
 * Gives each column that a query uses its place in the row. Places are given as the query is compiled, source by source;
 * since a place must not move when a source before it gets another column, compiled code asks `place` of a cell that is
 * filled at the end.
 */
export class RowLayout {
  readonly #sql: string;
  readonly #sources: readonly Building[];
  readonly #cells: { readonly source: number; readonly at: number; place: number }[] = [];

  /** @throws AppError rules/bad-sql for streams that are unknown, or named twice */
  constructor(sql: string, query: Select, catalog: Catalog) {
    this.#sql = sql;
    const seen = new Set<string>();
    this.#sources = [query.from, ...query.joins.map(({ source }) => source)].map((source) => {
      const alias = source.alias ?? source.name;
      if (seen.has(alias))
        throw sqlError(sql, source, `"${alias}" is there twice`, "give one of them another name with AS");
      seen.add(alias);
      const schema = catalog(source.name);
      if (schema === null) throw sqlError(sql, source, `there is no stream "${source.name}"`);
      return { schema, alias, columns: [] };
    });
  }

  isSource(name: string): boolean {
    return this.#sources.some(({ alias }) => alias === name);
  }

  get isOne(): boolean {
    return this.#sources.length === 1;
  }

  get aliases(): readonly string[] {
    return this.#sources.map(({ alias }) => alias);
  }

  /**
   * The cell whose `place` is where the column stands.
   *
   * @returns null where no source has such a column
   * @throws AppError rules/bad-sql when more than one has, or may have
   */
  find(name: Pick<Name, "source" | "name" | "start" | "end">): { readonly place: number } | null {
    const inside = this.#inside(name);
    if (inside.length > 1) {
      const where = inside.map((source) => `${this.#sources[source]!.alias}.${name.name}`).join(" or ");
      throw sqlError(this.#sql, name, `"${name.name}" may be of several streams`, `write ${where}`);
    }
    return inside.length === 0 ? null : this.cell(inside[0]!, { t: "column", name: name.name });
  }

  /** The cells of all sources that have, or may have, the column. */
  findAll(name: Pick<Name, "source" | "name">): readonly { readonly place: number }[] {
    return this.#inside(name).map((source) => this.cell(source, { t: "column", name: name.name }));
  }

  /** The place of the one source that has the column; null where none has, or more than one may. */
  sourceOf(name: Pick<Name, "source" | "name">): number | null {
    const inside = this.#inside(name);
    return inside.length === 1 ? inside[0]! : null;
  }

  #inside(name: Pick<Name, "source" | "name">): readonly number[] {
    return this.#sources.flatMap((one, source) => {
      const { columns } = one.schema;
      const isMeant = name.source === null || one.alias === name.source;
      return isMeant && (columns === null || columns.has(name.name)) ? [source] : [];
    });
  }

  /** The cell of a whole source, for `*`. */
  cell(source: number, wanted: RowColumn): { readonly place: number } {
    const { columns } = this.#sources[source]!;
    const key = JSON.stringify(wanted);
    let at = columns.findIndex((one) => JSON.stringify(one) === key);
    if (at < 0) at = columns.push(wanted) - 1;
    const cell = { source, at, place: -1 };
    this.#cells.push(cell);
    return cell;
  }

  /** The cell of a value that is computed for every row; these stand after all columns. */
  computed(at: number): { readonly place: number } {
    const cell = { source: this.#sources.length, at, place: -1 };
    this.#cells.push(cell);
    return cell;
  }

  /** Names of the columns of a source that are known, or null. */
  columnsOf(source: number): readonly string[] | null {
    const { columns } = this.#sources[source]!.schema;
    return columns === null ? null : [...columns.keys()];
  }

  schemaOf(source: number): StreamSchema {
    return this.#sources[source]!.schema;
  }

  /** The type of a column, where it is known. */
  typeOf(source: number, column: RowColumn): ColumnType | null {
    return column.t === "column" ? (this.#sources[source]!.schema.columns?.get(column.name) ?? null) : null;
  }

  /** Nothing is asked for any more: every cell gets its place. */
  finish(times: TimeTexts): readonly SourceLayout[] {
    let offset = 0;
    const layouts = this.#sources.map(({ schema, alias, columns }, source) => {
      const layout = { stream: schema.name, source, alias, columns, offset, times };
      offset += columns.length;
      return layout;
    });
    for (const cell of this.#cells) cell.place = (layouts[cell.source]?.offset ?? offset) + cell.at;
    return layouts;
  }
}
