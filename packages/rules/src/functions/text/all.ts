import type { ScalarFunction } from "../define-function.ts";
import { concat } from "./concat.ts";
import { endswith } from "./endswith.ts";
import { format } from "./format.ts";
import { indexof } from "./indexof.ts";
import { length } from "./length.ts";
import { lower } from "./lower.ts";
import { lpad } from "./lpad.ts";
import { ltrim } from "./ltrim.ts";
import { numbytes } from "./numbytes.ts";
import { regexpMatches } from "./regexp-matches.ts";
import { regexpReplace } from "./regexp-replace.ts";
import { regexpSubstr } from "./regexp-substr.ts";
import { reverse } from "./reverse.ts";
import { rpad } from "./rpad.ts";
import { rtrim } from "./rtrim.ts";
import { splitValue } from "./split-value.ts";
import { startswith } from "./startswith.ts";
import { substring } from "./substring.ts";
import { trim } from "./trim.ts";
import { upper } from "./upper.ts";

export const textFunctions: readonly ScalarFunction[] = [
  ...[concat, endswith, format, indexof, length, lower, lpad, ltrim, numbytes, regexpMatches, regexpReplace],
  ...[regexpSubstr, reverse, rpad, rtrim, splitValue, startswith, substring, trim, upper],
];
