import { aggregateFunctions } from "../functions/aggregate/all.ts";
import { analyticFunctions } from "../functions/analytic/all.ts";
import type { AggregateFunction } from "../functions/define-aggregate.ts";
import type { AnalyticFunction } from "../functions/define-analytic.ts";
import { scalarFunctions } from "../functions/registry.ts";
import { ownZone } from "../functions/time/part-zone.ts";
import type { Call, Expr, Field, Mode, Name, Select } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import type { Numbering } from "../run/number-rows.ts";
import type { TimeTexts } from "../value/compare.ts";
import type { ObjectValue, Value } from "../value/value.ts";
import { type PlannedAggregate, planAggregate } from "./compile-aggregate.ts";
import { type PlannedAnalytic, planAnalytic } from "./compile-analytic.ts";
import { type CallParts, compileScalar } from "./compile-call.ts";
import { compileExpression, type Scope } from "./compile-expression.ts";
import { fingerprinter } from "./fingerprint.ts";
import { compileFrameFunction } from "./frame-functions.ts";
import { namesIn } from "./names-in.ts";
import { rowsFunctionOf } from "./plan-expansion.ts";
import type { RowLayout } from "./row-layout.ts";

/** functions of the frame that go on where the rule was, after a restart */
const remembering: ReadonlySet<string> = new Set([
  ...["last_hit_count", "last_hit_time", "last_agg_hit_count", "last_agg_hit_time", "rule_start"],
]);

/** Names of a query: columns, and what AS names. */
export class QueryScope implements Scope {
  readonly mode: Mode;
  readonly times: TimeTexts;
  readonly #layout: RowLayout;
  readonly #options: CallParts;
  readonly #aliases: ReadonlyMap<string, Field>;
  readonly aggregates: PlannedAggregate[] = [];
  readonly analytics: PlannedAnalytic[] = [];
  readonly numberings: Numbering[] = [];
  /** something beside windows, aggregates and analytic calls depends on rows before */
  remembers = false;
  #isInAnalytic = false;
  /** where rows are not grouped yet there is nothing to aggregate */
  takesAggregates = false;
  /** aliases that are being compiled: inside its own definition a name is the column */
  readonly #inside: string[] = [];
  /** aliases that were read as columns since the innermost definition began */
  #readAsColumn = new Set<string>();
  readonly #compiled = new Map<Field, Evaluate>();
  readonly fingerprint: ReturnType<typeof fingerprinter>;

  constructor(query: Select, layout: RowLayout, options: CallParts) {
    this.mode = options.mode;
    this.times = { zone: ownZone(options.timeZone), mode: options.mode };
    this.#layout = layout;
    this.#options = options;
    this.fingerprint = fingerprinter(query, options.mode);
    const fields = query.fields.filter((one): one is Field => "expr" in one);
    this.#aliases = new Map(fields.flatMap((one) => (one.alias === null ? [] : [[one.alias, one] as const])));
  }

  name(name: Name): Evaluate {
    const { sql, mode } = this.#options;
    const alias = name.source === null ? this.#aliases.get(name.name) : undefined;
    if (alias !== undefined) {
      if (!this.#inside.includes(name.name)) return this.alias(alias);
      this.#readAsColumn.add(name.name);
    }
    if (name.source !== null && !this.#layout.isSource(name.source)) return this.#member(name);
    if (mode === "compat" && name.source === null && !this.#layout.isOne) return firstOf(this.#layout.findAll(name));
    const cell = this.#layout.find(name);
    if (cell !== null) return (frame) => frame.row.values[cell.place]!;
    if (mode === "compat" && alias === undefined) return () => null;
    throw sqlError(sql, name, `there is no column "${name.name}"`);
  }

  /** `a.b` where a is no source: field b of column a. */
  #member({ source, name, start, end }: Name): Evaluate {
    const of: Name = { t: "name", source: null, name: source!, start, end: start + source!.length };
    return compileExpression({ t: "member", of, name, start, end }, this);
  }

  /** What AS names: compiled once and computed once a row, however many use it. */
  alias(field: Field): Evaluate {
    const known = this.#compiled.get(field);
    if (known !== undefined) return known;
    const name = field.alias!;
    const outside = this.#readAsColumn;
    this.#readAsColumn = new Set();
    this.#inside.push(name);
    const evaluate = oncePerRow(compileExpression(field.expr, this));
    this.#inside.pop();
    this.#readAsColumn.delete(name);
    // Two that use each other mean the column inside the other's definition, and what they name outside of it.
    if (this.#readAsColumn.size === 0) this.#compiled.set(field, evaluate);
    for (const one of this.#readAsColumn) outside.add(one);
    this.#readAsColumn = outside;
    return evaluate;
  }

  /** Sources that an expression looks at; null where a name may be an alias or of any. */
  sourcesOf(expr: Expr): ReadonlySet<number> | null {
    const { names, isWhole } = namesIn(expr);
    const sources = names.map((name) => {
      const isAlias = name.source === null && this.#aliases.has(name.name) && !this.#inside.includes(name.name);
      return isAlias ? null : this.#layout.sourceOf(name);
    });
    return isWhole || sources.includes(null) ? null : new Set(sources.filter((source) => source !== null));
  }

  call(call: Call, compile: (expr: Expr) => Evaluate): Evaluate {
    const { sql } = this.#options;
    const aggregate = aggregateFunctions.get(call.name.toLowerCase());
    if (aggregate !== undefined) return this.#aggregate(call, aggregate, compile);
    const analytic = analyticFunctions.get(call.name.toLowerCase());
    if (analytic !== undefined) return this.#analytic(call, analytic, compile);
    if (call.name.toLowerCase() === "row_number") return this.#rowNumber(call, compile);
    const ofFrame = compileFrameFunction(call, { parts: this.#options, layout: this.#layout });
    if (ofFrame !== null) {
      this.remembers ||= remembering.has(call.name.toLowerCase());
      return ofFrame;
    }
    const spec = scalarFunctions.get(call.name.toLowerCase());
    if (rowsFunctionOf(call) !== null)
      throw sqlError(sql, call, `${call.name} makes rows, and no value`, "write it in SELECT, by itself");
    if (spec === undefined) throw sqlError(sql, call, `there is no function "${call.name}"`);
    return compileScalar(call, {
      spec,
      parts: this.#options,
      compile,
      functionNamed: (name) => scalarFunctions.get(name),
    });
  }

  #analytic(call: Call, spec: AnalyticFunction, compile: (expr: Expr) => Evaluate): Evaluate {
    const { sql, mode } = this.#options;
    if (this.#isInAnalytic)
      throw sqlError(
        sql,
        call,
        `${call.name} is inside another analytic function`,
        "give the inner one a name in a rule before",
      );
    if (!this.#layout.isOne)
      throw sqlError(sql, call, `${call.name} looks at the rows of one stream, and here are several`);
    const takesAggregates = this.takesAggregates;
    this.takesAggregates = false;
    this.#isInAnalytic = true;
    const planned = planAnalytic(call, {
      ...{ spec, sql, mode, compile },
      fingerprint: this.fingerprint(call),
      wholeRow: () => wholeRow(this.#layout),
    });
    this.#isInAnalytic = false;
    this.takesAggregates = takesAggregates;
    const cell = this.#layout.computed(this.analytics.push(planned) - 1);
    return (frame) => frame.row.values[cell.place]!;
  }

  #rowNumber(call: Call, compile: (expr: Expr) => Evaluate): Evaluate {
    const { sql } = this.#options;
    if (call.args.length > 0)
      throw sqlError(sql, call, "row_number takes no argument", "write row_number() OVER (ORDER BY …)");
    if (!this.takesAggregates)
      throw sqlError(sql, call, "row_number numbers results, which are not there yet", "write it in SELECT");
    const partition = (call.over?.partition ?? []).map(compile);
    const orderBy = (call.over?.order ?? []).map(({ expr, isDescending }) => ({ key: compile(expr), isDescending }));
    const at = this.numberings.push({ partition, orderBy }) - 1;
    return (frame) => BigInt(frame.numbers[at] ?? 1);
  }

  #aggregate(call: Call, spec: AggregateFunction, compile: (expr: Expr) => Evaluate): Evaluate {
    const { sql, mode } = this.#options;
    if (!this.takesAggregates) {
      throw sqlError(
        sql,
        call,
        `${call.name} adds up rows of a window, which are not there yet`,
        "write it in SELECT or HAVING",
      );
    }
    this.takesAggregates = false;
    const planned = planAggregate(call, {
      ...{ spec, sql, mode, compile },
      fingerprint: this.fingerprint(call),
      wholeRow: () => wholeRow(this.#layout),
    });
    this.takesAggregates = true;
    const at = this.aggregates.push(planned) - 1;
    return (frame) => frame.aggregates[at]!;
  }
}

/** Rows, groups and windows never change once made: the same three give the same value. */
function oncePerRow(evaluate: Evaluate): Evaluate {
  let of: Pick<Frame, "row" | "aggregates" | "window"> | null = null;
  let value: Value = null;
  return (frame) => {
    const { row, aggregates, window } = frame;
    if (of !== null && of.row === row && of.aggregates === aggregates && of.window === window) return value;
    value = evaluate(frame);
    of = { row, aggregates, window };
    return value;
  };
}

/** As eKuiper looks: in one stream after the other, until there is a value. */
function firstOf(cells: readonly { readonly place: number }[]): Evaluate {
  return ({ row }) => {
    for (const { place } of cells) if (row.values[place] !== null) return row.values[place]!;
    return null;
  };
}

/** All columns of all streams in one struct. */
function wholeRow(layout: RowLayout): Evaluate {
  const wholes = layout.aliases.map((_, source) => layout.cell(source, { t: "all" }));
  return (frame) => Object.assign({}, ...wholes.map(({ place }) => frame.row.values[place])) as ObjectValue;
}
