import type { ScalarFunction } from "../define-function.ts";
import { jsonPathExists } from "./json-path-exists.ts";
import { jsonPathQuery } from "./json-path-query.ts";
import { jsonPathQueryFirst } from "./json-path-query-first.ts";
import { parseJson } from "./parse-json.ts";
import { toJson } from "./to-json.ts";

export const jsonFunctions: readonly ScalarFunction[] = [
  ...[jsonPathExists, jsonPathQueryFirst, jsonPathQuery, parseJson, toJson],
];
