import type { AggregateFunction } from "../define-aggregate.ts";
import { avg } from "./avg.ts";
import { collect } from "./collect.ts";
import { count } from "./count.ts";
import { deduplicate } from "./deduplicate.ts";
import { lastValue } from "./last-value.ts";
import { max } from "./max.ts";
import { median } from "./median.ts";
import { mergeAgg } from "./merge-agg.ts";
import { min } from "./min.ts";
import { percentileCont } from "./percentile-cont.ts";
import { percentileDisc } from "./percentile-disc.ts";
import { stddev } from "./stddev.ts";
import { stddevs } from "./stddevs.ts";
import { sum } from "./sum.ts";
import { variance } from "./var.ts";
import { vars } from "./vars.ts";

const all: readonly AggregateFunction[] = [
  ...[avg, collect, count, deduplicate, lastValue, max, median, mergeAgg, min],
  ...[percentileCont, percentileDisc, stddev, stddevs, sum, variance, vars],
];

/** Aggregates by every name they have, in small letters. */
export const aggregateFunctions: ReadonlyMap<string, AggregateFunction> = new Map(
  all.flatMap((one) => [one.name, ...(one.also ?? [])].map((name) => [name, one] as const)),
);
