import type { Span } from "./sql-error.ts";

/** How a rule reads SQL: as eKuiper does, quirk by quirk, or as people who know SQL expect. */
export type Mode = "compat" | "strict";

export type Expr =
  | Literal
  | Name
  | Unary
  | Binary
  | Logical
  | Between
  | In
  | Like
  | IsNull
  | Case
  | Call
  | Member
  | Element
  | Slice;

/** An integer is a bigint, a float a number. */
export interface Literal extends Span {
  readonly t: "literal";
  readonly value: bigint | number | string | boolean | null;
}
/** A column, an alias or a source, which the planner tells apart; `source` where it was written. */
export interface Name extends Span {
  readonly t: "name";
  readonly source: string | null;
  readonly name: string;
}
export interface Unary extends Span {
  readonly t: "unary";
  readonly op: "-" | "not";
  readonly of: Expr;
}
export type ArithmeticOp = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^";
export type ComparisonOp = "=" | "!=" | "<" | "<=" | ">" | ">=";
export interface Binary extends Span {
  readonly t: "binary";
  readonly op: ArithmeticOp | ComparisonOp;
  readonly left: Expr;
  readonly right: Expr;
}
/** A chain of one operator is one node, however long, so that no tree is as deep as a query is long. */
export interface Logical extends Span {
  readonly t: "logical";
  readonly op: "and" | "or";
  readonly of: readonly Expr[];
}
export interface Between extends Span {
  readonly t: "between";
  readonly isNot: boolean;
  readonly of: Expr;
  readonly low: Expr;
  readonly high: Expr;
}
/** `x IN (a, b)` has a list, `x IN array` one expression. */
export interface In extends Span {
  readonly t: "in";
  readonly isNot: boolean;
  readonly of: Expr;
  readonly among: { readonly list: readonly Expr[] } | { readonly array: Expr };
}
export interface Like extends Span {
  readonly t: "like";
  readonly isNot: boolean;
  readonly of: Expr;
  readonly pattern: Expr;
}
export interface IsNull extends Span {
  readonly t: "isNull";
  readonly isNot: boolean;
  readonly of: Expr;
}
export interface Case extends Span {
  readonly t: "case";
  /** `CASE of WHEN value`; null: `CASE WHEN condition` */
  readonly of: Expr | null;
  readonly branches: readonly { readonly when: Expr; readonly value: Expr }[];
  readonly otherwise: Expr | null;
}
export interface Call extends Span {
  readonly t: "call";
  /** as written; built-in names are compared without case */
  readonly name: string;
  readonly args: readonly (Expr | Star)[];
  /** `FILTER (WHERE e)` */
  readonly filter: Expr | null;
  readonly over: Over | null;
}
/** `OVER (PARTITION BY … ORDER BY … WHEN …)` */
export interface Over extends Span {
  readonly partition: readonly Expr[];
  readonly order: readonly OrderItem[];
  readonly when: Expr | null;
}
/** `a->b`, or `a.b` where a is no source */
export interface Member extends Span {
  readonly t: "member";
  readonly of: Expr;
  readonly name: string;
}
/** `a[i]`; below 0 counts from the end */
export interface Element extends Span {
  readonly t: "element";
  readonly of: Expr;
  readonly index: Expr;
}
/** `a[from:to]`; null: from the beginning, to the end */
export interface Slice extends Span {
  readonly t: "slice";
  readonly of: Expr;
  readonly from: Expr | null;
  readonly to: Expr | null;
}

/** `*` or `src.*`, in the select list with what is left out and replaced. */
export interface Star extends Span {
  readonly t: "star";
  readonly source: string | null;
  readonly except: readonly string[];
  readonly replace: readonly Field[];
}
export interface Field extends Span {
  readonly expr: Expr;
  /** null: named by the engine */
  readonly alias: string | null;
  /** computed for others, not part of the output */
  readonly isInvisible: boolean;
}
export interface OrderItem extends Span {
  readonly expr: Expr;
  readonly isDescending: boolean;
}
export interface Source extends Span {
  readonly name: string;
  readonly alias: string | null;
}
export type JoinKind = "inner" | "left" | "right" | "full" | "cross";
export interface Join extends Span {
  readonly kind: JoinKind;
  readonly source: Source;
  readonly on: Expr | null;
}
export interface Select extends Span {
  readonly t: "select";
  readonly fields: readonly (Field | Star)[];
  readonly from: Source;
  readonly joins: readonly Join[];
  readonly where: Expr | null;
  /** without the window, which is written here but is none of them */
  readonly groupBy: readonly Expr[];
  readonly window: WindowClause | null;
  readonly having: Expr | null;
  readonly orderBy: readonly OrderItem[];
  readonly limit: number | null;
}

export type WindowKind = "tumbling" | "hopping" | "sliding" | "session" | "count" | "state";
export type TimeUnit = "dd" | "hh" | "mi" | "ss" | "ms";
export interface WindowClause extends Span {
  readonly kind: WindowKind;
  /** of those windows that are measured in time; null of count and state */
  readonly unit: TimeUnit | null;
  /** what stood in the parentheses, without the unit */
  readonly args: readonly Expr[];
  readonly filter: Expr | null;
  readonly over: Over | null;
}

export type Statement = Select | Define | Show | About;
export type DefinedKind = "stream" | "table";
/** `CREATE STREAM name (columns) WITH (options)` */
export interface Define extends Span {
  readonly t: "create";
  readonly kind: DefinedKind;
  readonly name: string;
  /** null: no list was written; what comes is taken as it is */
  readonly columns: readonly Column[] | null;
  readonly options: ReadonlyMap<string, string>;
}
export interface Column extends Span {
  readonly name: string;
  readonly type: ColumnType;
  readonly byDefault: Literal | null;
}
export type ColumnType =
  | { readonly t: "bigint" | "float" | "string" | "datetime" | "boolean" | "bytea" }
  | { readonly t: "array"; readonly of: ColumnType }
  | { readonly t: "struct"; readonly fields: readonly { readonly name: string; readonly type: ColumnType }[] };
/** `SHOW STREAMS` */
export interface Show extends Span {
  readonly t: "show";
  readonly kind: DefinedKind;
}
/** `DESCRIBE STREAM name` and its like */
export interface About extends Span {
  readonly t: "describe" | "explain" | "drop";
  readonly kind: DefinedKind;
  readonly name: string;
}
