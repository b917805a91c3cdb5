import {
  type AggregateFunction,
  type AnalyticFunction,
  aggregateFunctions,
  analyticFunctions,
  type FunctionGroup,
  functionGroups,
  type ObjectValue,
  type Param,
  type RowsFunction,
  rowsFunctions,
  type ScalarFunction,
  scalarFunctions,
  surroundingFunctions,
  unsupported,
  type Value,
} from "@penstock/rules";
import { generatedPage, markdownTable } from "./markdown.ts";
import { writtenValue } from "./written-value.ts";

const titles: Readonly<Record<FunctionGroup, string>> = {
  ...{ math: "Mathematics", text: "Texts", time: "Time", array: "Arrays", struct: "Structs", hash: "Hashes" },
  ...{ convert: "Conversion", json: "JSON", rule: "Null, names and the rule" },
};

/** Every function of a rule's SQL, from the specifications that the engine runs; the examples are its tests. */
export function sqlFunctionReference(): string {
  const scalars = [...new Set(scalarFunctions.values())];
  const groups = functionGroups.flatMap((group) => {
    const members = scalars.filter((one) => one.group === group).sort(byName);
    return members.length === 0 ? [] : ["", `## ${titles[group]}`, ...members.flatMap(scalarPart)];
  });
  const aggregates = [...new Set(aggregateFunctions.values())].sort(byName);
  const analytics = [...analyticFunctions.values()].sort(byName);
  return generatedPage("Functions of a rule's SQL", "the files under `packages/rules/src/functions/`", [
    "A rule reads SQL in one of two modes: **compat** does what eKuiper does, quirk by quirk, **strict** what people who know SQL",
    "expect, and refuses what may be meant in two ways. Names are read without regard to capitals. Where nothing else is said, a",
    "null argument makes the result null. An integer is written `7`, a float `7.0`. An error ends the row and nothing else.",
    ...groups,
    "",
    "## Aggregates",
    "",
    "Over the rows of a group or of a window.",
    ...aggregates.flatMap(aggregatePart),
    "",
    "## Rows before",
    "",
    "Over all rows of a rule in their order, before WHERE; `OVER (PARTITION BY …)` keeps them apart. One result for each row.",
    ...analytics.flatMap(analyticPart),
    "",
    "## Several rows of one",
    "",
    "One of them in a SELECT list, by itself; the other columns are the same in each row.",
    ...[...rowsFunctions.values()].sort(byName).flatMap(rowsPart),
    "",
    "## Around the row",
    "",
    "Of the window, the message and the rule. Times are whole milliseconds since 1970 UTC.",
    "",
    ...markdownTable(
      ["call", "gives"],
      surroundingFunctions.map(({ usage, summary }) => [`\`${usage}\``, summary]),
    ),
    "",
    "## What eKuiper has and this engine has not",
    "",
    ...markdownTable(
      ["what", "why"],
      unsupported.map(({ what, why }) => [what, why]),
    ),
  ]);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

type Described = Pick<ScalarFunction, "name" | "also" | "summary" | "params">;

function head({ name, also = [], summary, params }: Described): string[] {
  const synonyms = also.length === 0 ? "" : ` Also: ${also.map((one) => `\`${one}\``).join(", ")}.`;
  const types = params.map((param) => `\`${param.name}\` ${kindsOf(param)}`).join("; ");
  return [
    "",
    `### ${name}`,
    "",
    `\`${signature(name, params)}\`${types === "" ? "" : `: ${types}`}.${synonyms}`,
    "",
    `${summary}.`,
    "",
  ];
}

function signature(name: string, params: readonly Param[]): string {
  const written = params.map((param, at) => {
    const text = `${at === 0 ? "" : ", "}${param.name}${param.repeats === undefined ? "" : ", …"}`;
    return param.isOptional === true ? `[${text}]` : text;
  });
  return `${name}(${written.join("")})`;
}

/** "text or bytes (compat: anything)": a kind beside `any` is what strict mode wants. */
function kindsOf({ is }: Param): string {
  const kinds = typeof is === "string" ? [is] : is;
  const named = kinds.filter((kind) => kind !== "any");
  if (named.length === 0) return "anything";
  return `${named.join(" or ")}${named.length === kinds.length ? "" : " (compat: anything)"}`;
}

function scalarPart(spec: ScalarFunction): string[] {
  const rows = spec.examples.map(({ sql, of = {}, gives, mode }) => ({
    ...{ call: `\`${sql}\`${whereOf(of)}`, gives: resultOf(gives), mode },
  }));
  return [...head(spec), ...exampleTable(rows)];
}

function aggregatePart(spec: AggregateFunction): string[] {
  const rows = spec.examples.map(({ sql, rows: of, gives, mode }) => ({
    ...{ call: overRows(sql, of), gives: resultOf(gives), mode },
  }));
  return [...head(spec), ...exampleTable(rows)];
}

function analyticPart(spec: AnalyticFunction): string[] {
  const rows = spec.examples.map(({ sql, rows: of, gives, mode }) => ({
    ...{ call: overRows(sql, of), gives: gives.map(code).join(" "), mode },
  }));
  return [...head(spec), ...exampleTable(rows)];
}

function rowsPart({ name, summary, param, examples }: RowsFunction): string[] {
  const rows = examples.map(({ select, row, gives, mode }) => {
    const made = "error" in gives ? resultOf(gives) : gives.map(code).join(" ");
    return { call: overRows(`SELECT ${select}`, [row]), gives: made === "" ? "no row" : made, mode };
  });
  return [...head({ name, summary, params: [param] }), ...exampleTable(rows)];
}

function overRows(sql: string, rows: readonly ObjectValue[]): string {
  return `\`${sql}\` over ${rows.length === 0 ? "no rows" : rows.map(code).join(" ")}`;
}

interface Row {
  readonly call: string;
  readonly gives: string;
  readonly mode: "compat" | "strict" | undefined;
}

function exampleTable(rows: readonly Row[]): string[] {
  const calls = new Map<string, { compat: string; strict: string }>();
  for (const { call, gives, mode } of rows) {
    const cells = calls.get(call) ?? { compat: "", strict: "" };
    if (mode !== "strict") cells.compat = gives;
    if (mode !== "compat") cells.strict = gives;
    calls.set(call, cells);
  }
  const cells = [...calls].map(([call, { compat, strict }]) => [call, compat, strict]);
  return markdownTable(["example", "compat", "strict"], cells);
}

function whereOf(of: ObjectValue): string {
  const values = Object.entries(of).map(([name, value]) => `${name} = ${code(value)}`);
  return values.length === 0 ? "" : `, ${values.join(", ")}`;
}

function resultOf(gives: Value | { readonly error: RegExp }): string {
  const error = typeof gives === "object" && gives !== null && "error" in gives ? gives.error : null;
  return error instanceof RegExp ? `error: ${error.source.replaceAll(/\\(.)/g, "$1")}` : code(gives as Value);
}

function code(value: Value): string {
  return `\`${writtenValue(value)}\``;
}
