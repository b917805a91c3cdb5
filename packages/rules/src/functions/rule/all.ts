import type { ScalarFunction } from "../define-function.ts";
import { coalesce } from "./coalesce.ts";
import { isnull } from "./isnull.ts";
import { newuuid } from "./newuuid.ts";
import { ruleId } from "./rule-id.ts";

export const ruleFunctions: readonly ScalarFunction[] = [coalesce, isnull, newuuid, ruleId];
