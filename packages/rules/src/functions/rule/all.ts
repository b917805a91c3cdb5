import type { ScalarFunction } from "../define-function.ts";
import { bypass } from "./bypass.ts";
import { coalesce } from "./coalesce.ts";
import { delay } from "./delay.ts";
import { getKeyedState } from "./get-keyed-state.ts";
import { isnull } from "./isnull.ts";
import { newuuid } from "./newuuid.ts";
import { props } from "./props.ts";
import { ruleId } from "./rule-id.ts";

export const ruleFunctions: readonly ScalarFunction[] = [
  ...[bypass, coalesce, delay, getKeyedState, isnull, newuuid, props, ruleId],
];
