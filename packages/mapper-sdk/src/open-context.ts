import { defaultLine } from "@penstock/model";
import type { DriverLog, OpenContext } from "./driver.ts";
import { ManualClock } from "./manual-clock.ts";

export const silentLog: DriverLog = { debug() {}, info() {}, warn() {}, error() {} };

/** For tests of a mapper: what `open` is given, unless stated otherwise. Its clock stands until somebody moves it. */
export function openContext(given: Partial<OpenContext> = {}): OpenContext {
  return {
    signal: new AbortController().signal,
    log: silentLog,
    clock: new ManualClock(),
    line: defaultLine,
    folder: "",
    lost() {},
    ...given,
  };
}
