import { type ExactJson, parseMicros } from "@penstock/model";

/** How a device writes its time: RFC 3339, or a number since 1970 UTC in seconds, milliseconds, microseconds, nanoseconds. */
export const timeForms = ["iso", "s", "ms", "us", "ns"] as const;
export type TimeForm = (typeof timeForms)[number];

const decimal = /^\d{1,20}(\.\d{1,9})?$/;
const perMicro = { s: 1_000_000, ms: 1000, us: 1, ns: 0.001 } as const;

/**
 * @returns microseconds since 1970 UTC; null when it is no time of that form: a text without zone could be anywhere
 */
export function deviceTime(given: ExactJson | undefined, form: TimeForm): number | null {
  if (form === "iso") return typeof given === "string" ? parseMicros(given.trim().replace(" ", "T")) : null;
  if (typeof given === "bigint" && form === "ns") return Number(given / 1000n);
  const text = typeof given === "string" ? given.trim() : null;
  if (text !== null && !decimal.test(text)) return null;
  if (text === null && typeof given !== "number" && typeof given !== "bigint") return null;
  const micros = Math.round(Number(given) * perMicro[form]);
  return Number.isSafeInteger(micros) && micros >= 0 ? micros : null;
}
