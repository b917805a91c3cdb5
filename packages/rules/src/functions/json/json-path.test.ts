import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@penstock/model";
import fc from "fast-check";
import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import type { Value } from "../../value/value.ts";
import { parseJsonPath } from "./part-json-path.ts";
import { runJsonPath } from "./part-json-path-run.ts";
import { Missing } from "./part-json-path-state.ts";

function ask(path: string, root: Value, mode: Mode = "compat"): Value | Missing {
  const found = runJsonPath(parseJsonPath(path), { root, mode });
  return "many" in found ? found.many : found.one;
}

const store = {
  books: [
    { title: "A", price: 8, tags: ["x"] },
    { title: "B", price: 12.5 },
    { title: "C", price: "9", sale: true },
  ],
  limit: 10,
  key: "limit",
};

const cases: readonly {
  readonly path: string;
  readonly compat: Value | "missing";
  readonly strict?: Value | "missing";
}[] = [
  { path: "$.limit", compat: 10 },
  { path: "$.limit + 1 * 2", compat: 12 },
  { path: "($.limit + 1) * 2 ** 2", compat: 44 },
  { path: "-$.limit", compat: -10 },
  { path: "$.limit == 10 && !($.limit > 10)", compat: true },
  { path: "$[$.key]", compat: 10 },
  { path: "$.books[1].title", compat: "B" },
  { path: "$.books[1]['title']", compat: "B" },
  { path: "$.books[*].title", compat: ["A", "B", "C"] },
  { path: "$.books.*.title", compat: ["A", "B", "C"] },
  { path: "$..title", compat: ["A", "B", "C"] },
  { path: "$..tags[0]", compat: ["x"] },
  { path: "$.books[0, 2].title", compat: ["A", "C"] },
  { path: "$.books[1:].title", compat: ["B", "C"] },
  { path: "$.books[:-1].title", compat: ["A", "B"] },
  { path: "$.books[::2].title", compat: ["A", "C"] },
  { path: "$.books[2:0]", compat: [] },
  { path: "$.books[? @.price < $.limit].title", compat: ["A", "C"], strict: ["A"] },
  { path: "$.books[? @.price > 100 || @.title == 'B'].title", compat: ["B"] },
  { path: "$.books[? @.sale].title", compat: ["C"] },
  { path: "$.books[? !@.sale].title", compat: [], strict: ["A", "B"] },
  { path: "$.books[? @.tags].title", compat: [], strict: ["A"] },
  { path: "$.books[? @.sale != true].title", compat: [], strict: ["A", "B"] },
  { path: "$.books[? @.title =~ '^[AB]$'].title", compat: ["A", "B"] },
  { path: "$.books[? @.title !~ '^[AB]$'].title", compat: ["C"] },
  { path: "$.books[? @.title in ['A', 'C']].title", compat: ["A", "C"] },
  { path: "$.books[? 'x' in @.tags].title", compat: ["A"] },
  { path: "$.none ?? $.limit", compat: 10 },
  { path: "$.none[*]", compat: [] },
  { path: "$.none", compat: "missing" },
  { path: "$.books.title", compat: "missing" },
  { path: "$.limit.x", compat: "missing" },
  { path: "$.limit / 0", compat: "missing" },
  { path: "$.__proto__", compat: "missing" },
];

test("JSON path: what it finds", () => {
  for (const { path, compat, strict = compat } of cases) {
    for (const [mode, wanted] of [
      ["compat", compat],
      ["strict", strict],
    ] as const) {
      const found = ask(path, store, mode);
      if (wanted === "missing")
        assert.ok(found instanceof Missing, `${path} in ${mode} gives ${JSON.stringify(found)}`);
      else assert.deepEqual(found, wanted, `${path} in ${mode}`);
    }
  }
});

test("JSON path: what cannot be read is told with its place", () => {
  const wrong = [
    "",
    "$.",
    "$[",
    "$[1",
    "$[1 2]",
    "$.a b",
    "$[1:2:3:4]",
    "'open",
    "$.a #",
    "$(1)",
    "[1,",
    "(1",
    "$.a ==",
    "$[?]",
  ];
  for (const path of wrong) {
    assert.throws(
      () => parseJsonPath(path),
      (error) => error instanceof RowError && /at character \d+$/.test(error.message),
      path,
    );
  }
  assert.throws(() => parseJsonPath(`${"(".repeat(40)}1${")".repeat(40)}`), /more than 32 expressions in each other/);
  assert.throws(() => parseJsonPath("$.a".padEnd(limits.jsonPathChars + 1, "a")), /Cannot read a JSON path of 1025/);
});

test("JSON path: any text and any value end in a value or a RowError", () => {
  const piece = fc.constantFrom(
    ...[
      "$",
      "@",
      ".",
      "..",
      "[",
      "]",
      "*",
      "?",
      ":",
      ",",
      "(",
      ")",
      "a",
      "b",
      "0",
      "1",
      "-",
      "'a'",
      "==",
      "<",
      "&&",
      "||",
    ],
    ...["!", "=~", "in", "??", "+", "**", " ", "true", "null", "%"],
  );
  const paths = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((all) => `$${all.join("")}`),
    fc.string({ maxLength: 12 }),
  );
  const values = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Value>;
  const modes = fc.constantFrom<Mode>("compat", "strict");
  fc.assert(
    fc.property(paths, values, modes, (path, value, mode) => {
      try {
        assert.notEqual(ask(path, value, mode), undefined);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test("JSON path: a path that multiplies what it walks through is stopped", () => {
  let nested: Value = [1];
  for (let depth = 0; depth < 60; depth++) nested = [nested];
  assert.throws(() => ask("$..*..*..*..*", nested), /touches more than 100000 values/);
});
