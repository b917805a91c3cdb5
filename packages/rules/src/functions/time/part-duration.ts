import { limits } from "@penstock/model";
import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";

/** Days are those of the calendar, and may have 23 hours or 25. */
export interface Duration {
  readonly days: number;
  readonly nanos: bigint;
}

const units: Readonly<Record<string, bigint>> = {
  ...{ ns: 1n, us: 1000n, µs: 1000n, μs: 1000n, ms: 1_000_000n },
  ...{ s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n },
};
const part = /(?:(\d+)(?:\.(\d*))?|\.(\d+))(ns|us|µs|μs|ms|s|m|h|d)/y;
const mostNanos = 2n ** 63n - 1n;

/**
 * Such as `1h30m`, `-1.5h` and in strict mode `2d12h`.
 *
 * @source Go 1.23, package time, func ParseDuration; eKuiper takes a minus away before it asks that
 * @throws RowError for what is none, and beyond 292 years
 */
export function readDuration(text: string, mode: Mode): Duration {
  if (text.length > limits.timePatternChars) throw wrong(text, "it is too long");
  const unsigned = mode === "compat" && text.startsWith("-") ? text.slice(1) : text;
  let at = /^[+-]/.test(unsigned) ? 1 : 0;
  let sign = unsigned.startsWith("-") ? -1n : 1n;
  if (unsigned !== text) sign = -sign;
  if (unsigned.slice(at) === "0") return { days: 0, nanos: 0n };
  let [nanos, days] = [0n, 0];
  for (const start = at; at < unsigned.length || at === start; ) {
    part.lastIndex = at;
    const found = part.exec(unsigned);
    if (found === null) throw wrong(text, 'write numbers with units, such as "1h30m"');
    const [all, whole = "0", fraction = "", bare = "", unit] = found;
    at += all.length;
    if (unit === "d") {
      if (mode === "compat") throw wrong(text, "eKuiper knows no days: write 24h");
      if (fraction !== "" || bare !== "") throw wrong(text, "days are whole: a day has not always 24 hours");
      days += Number(whole);
      continue;
    }
    const tail = (fraction + bare).slice(0, 18);
    nanos += BigInt(whole) * units[unit!]! + (BigInt(tail || 0) * units[unit!]!) / 10n ** BigInt(tail.length);
    if (nanos > mostNanos) throw wrong(text, "it is longer than 292 years");
  }
  if (days > 4_000_000) throw wrong(text, "it is longer than there are years");
  return { days: Number(sign) * days, nanos: sign * nanos };
}

function wrong(text: string, why: string): RowError {
  return new RowError(`Cannot read the duration ${JSON.stringify(text.slice(0, 60))}: ${why}`);
}
