import type { Clock, Counter, Log } from "@penstock/runtime";
import { LineRate } from "../line-rate.ts";

/** Says what mappers do as often as mappers may cause lines; what is left out is counted. */
export function sparingInfo(options: {
  readonly log: Log;
  readonly clock: Clock;
  readonly dropped: Counter;
}): Log["info"] {
  const { log, clock, dropped } = options;
  const rate = new LineRate(clock);
  return (fields, message) => {
    if (rate.take()) log.info(fields, message);
    else dropped.add();
  };
}
