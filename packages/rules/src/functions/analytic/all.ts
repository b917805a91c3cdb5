import type { AnalyticFunction } from "../define-analytic.ts";
import { accAvg } from "./acc-avg.ts";
import { accCount } from "./acc-count.ts";
import { accMax } from "./acc-max.ts";
import { accMin } from "./acc-min.ts";
import { accSum } from "./acc-sum.ts";
import { changedCol } from "./changed-col.ts";
import { hadChanged } from "./had-changed.ts";
import { lag } from "./lag.ts";
import { latest } from "./latest.ts";

const all: readonly AnalyticFunction[] = [
  accAvg,
  accCount,
  accMax,
  accMin,
  accSum,
  changedCol,
  hadChanged,
  lag,
  latest,
];

/** Analytic functions by name. */
export const analyticFunctions: ReadonlyMap<string, AnalyticFunction> = new Map(all.map((one) => [one.name, one]));
