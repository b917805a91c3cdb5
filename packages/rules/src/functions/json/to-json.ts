import { Instant } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { writeJson } from "./part-write-json.ts";

export const toJson = defineFunction({
  name: "to_json",
  group: "json",
  summary: "The value as JSON text. In compat mode with fields by name, and < > & as escapes, as Go writes it",
  params: [{ name: "value", is: "any" }],
  examples: [
    {
      sql: "to_json(s)",
      of: { s: { b: [1n, 2.5, null], a: "x" } },
      gives: '{"a":"x","b":[1,2.5,null]}',
      mode: "compat",
    },
    {
      sql: "to_json(s)",
      of: { s: { b: [1n, 2.5, null], a: "x" } },
      gives: '{"b":[1,2.5,null],"a":"x"}',
      mode: "strict",
    },
    { sql: "to_json('<a&b>')", gives: '"\\u003ca\\u0026b\\u003e"', mode: "compat" },
    { sql: "to_json('<a&b>')", gives: '"<a&b>"', mode: "strict" },
    { sql: "to_json(9007199254740993)", gives: "9007199254740993" },
    { sql: "to_json(x)", of: { x: 1e20 }, gives: "100000000000000000000", mode: "compat" },
    { sql: "to_json(x)", of: { x: 1e20 }, gives: "1e+20", mode: "strict" },
    { sql: "to_json(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: '"2026-11-01T12:34:56.789Z"' },
    { sql: "to_json(b)", of: { b: new Uint8Array([1, 2, 3]) }, gives: '"AQID"' },
    { sql: "to_json(x)", of: { x: null }, gives: null },
    { sql: "to_json(x)", of: { x: [Number.NaN] }, gives: { error: /JSON has no "NaN"/ } },
    {
      sql: "to_json(repeat(t, 100))",
      of: { t: "x".repeat(20_000) },
      gives: { error: /longer than 1048576 characters/ },
    },
  ],
  run: ([value], { mode }) => writeJson("to_json", value!, mode),
});
