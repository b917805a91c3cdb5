import { RowError } from "../../value/row-error.ts";
import { defineFunction } from "../define-function.ts";
import { readJson } from "./part-read-json.ts";

const nested = `${"[".repeat(65)}${"]".repeat(65)}`;

export const parseJson = defineFunction({
  name: "parse_json",
  group: "json",
  summary:
    "The value that a JSON text says. In compat mode every number is a float; in strict mode one without point and exponent is an integer, exact up to 64 bits",
  params: [{ name: "text", is: ["text", "bytes"] }],
  examples: [
    { sql: "parse_json(t)", of: { t: '{"a":[1.5,null,"x",true]}' }, gives: { a: [1.5, null, "x", true] } },
    { sql: "parse_json('[7, 1e3]')", gives: [7, 1000], mode: "compat" },
    { sql: "parse_json('[7, 1e3]')", gives: [7n, 1000], mode: "strict" },
    { sql: "parse_json('9007199254740993')", gives: 9007199254740992, mode: "compat" },
    { sql: "parse_json('9007199254740993')", gives: 9007199254740993n, mode: "strict" },
    { sql: "parse_json('9223372036854775808')", gives: { error: /does not fit 64 bits/ }, mode: "strict" },
    { sql: "parse_json('1e400')", gives: { error: /1e400 does not fit 64 bits/ } },
    { sql: "parse_json('null')", gives: null },
    { sql: "parse_json(t)", of: { t: null }, gives: null },
    { sql: "parse_json(t)", of: { t: new Uint8Array([0x5b, 0x5d]) }, gives: [] },
    { sql: "parse_json('key1')", gives: { error: /parse_json: the text is no JSON/ } },
    { sql: "parse_json(t)", of: { t: nested }, gives: { error: /more than 64 arrays and structs in each other/ } },
    { sql: "parse_json(1)", gives: { error: /text must be text or bytes, and is bigint 1/ } },
  ],
  run([text], { mode }) {
    if (typeof text === "string") return readJson("parse_json", text, mode);
    try {
      return readJson("parse_json", new TextDecoder("utf-8", { fatal: true }).decode(text as Uint8Array), mode);
    } catch (error) {
      if (error instanceof TypeError) throw new RowError("Cannot call parse_json: the bytes are no UTF-8");
      throw error;
    }
  },
});
