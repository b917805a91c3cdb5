import { stringifyExact } from "../exact-json.ts";
import { shown } from "../shown.ts";

/** One copy, as the values of its fields may depend on it. */
export interface CopyAt {
  /** from 1 */
  readonly n: number;
  /** of all copies */
  readonly count: number;
  readonly name: string;
  /** what stands for the pattern's groups */
  readonly groups: readonly string[];
}
export type Stepped = { readonly value: unknown } | { readonly problem: string };

const decimal = /^-?\d+(\.\d+)?$/;
const lastNumber = /\d+(?=\D*$)/;

/**
 * The value of one field in the n-th copy. A number: the source's value plus n times it, exact for 64-bit integers; text that
 * is a number, or else its last number ("ns=2;s=Temp1", "plant/temp1"), is stepped the same way and keeps its zeros. A list:
 * its n-th member. Text: with ${n}, ${name}, ${value} and ${1}, ${2} … for the pattern's groups filled in; other
 * placeholders, such as those of topics, stay.
 */
export function stepValue(value: unknown, step: unknown, at: CopyAt): Stepped {
  if (Array.isArray(step)) {
    if (step.length === at.count) return { value: step[at.n - 1] };
    return { problem: `the list has ${step.length} values, there are ${at.count} copies` };
  }
  if (typeof step === "string" && step.includes("${")) return { value: like(value, filled(step, value, at)) };
  const by = typeof step === "number" || typeof step === "bigint" || typeof step === "string" ? String(step) : "";
  if (!decimal.test(by)) {
    return { problem: `the step ${shown(step)} must be a number, a list, or text with \${n}, \${name} or \${value}` };
  }
  if (typeof value === "number" || typeof value === "bigint") {
    const text = String(value);
    return decimal.test(text)
      ? { value: numberOf(plusTimes(text, by, at.n)) }
      : { problem: `${text} is no number that can be stepped exactly` };
  }
  if (typeof value === "string") return stepText(value, by, at.n);
  return { problem: `${shown(value)} is neither a number nor text with one, so it cannot be stepped` };
}

function stepText(text: string, by: string, n: number): Stepped {
  if (decimal.test(text)) return { value: padded(plusTimes(text, by, n), text) };
  const found = lastNumber.exec(text);
  if (found === null) return { problem: `${shown(text)} has no number in it, so it cannot be stepped` };
  const [digits] = found;
  const next = plusTimes(digits, by, n);
  if (!/^\d+$/.test(next)) return { problem: `${shown(text)} stepped by ${by} × ${n} would hold ${next}` };
  return { value: text.slice(0, found.index) + padded(next, digits) + text.slice(found.index + digits.length) };
}

/** "007" stays three digits wide */
function padded(next: string, before: string): string {
  const digits = before.replace("-", "");
  if (!/^0\d+$/.test(digits)) return next;
  return next.startsWith("-") ? `-${next.slice(1).padStart(digits.length, "0")}` : next.padStart(digits.length, "0");
}

/** value + n × step of decimal texts, exact; as many decimals as the longer of the two has */
function plusTimes(value: string, step: string, n: number): string {
  const scale = Math.max(decimalsOf(value), decimalsOf(step));
  const sum = scaled(value, scale) + scaled(step, scale) * BigInt(n);
  if (scale === 0) return sum.toString();
  const digits = (sum < 0n ? -sum : sum).toString().padStart(scale + 1, "0");
  return `${sum < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
function decimalsOf(text: string): number {
  return text.split(".")[1]?.length ?? 0;
}
function scaled(text: string, scale: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(scale, "0"));
}

/** an integer beyond 2^53 stays one, as bigint */
function numberOf(text: string): number | bigint {
  const number = Number(text);
  return text.includes(".") || Number.isSafeInteger(number) ? number : BigInt(text);
}

/** Text that takes the place of a number becomes one where it is one. */
function like(value: unknown, text: string): unknown {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  return isNumber && decimal.test(text) ? numberOf(text) : text;
}

function filled(text: string, value: unknown, at: CopyAt): string {
  return text.replaceAll(/\$\{(n|name|value|[1-8])\}/g, (whole, key: string) => {
    if (key === "n") return String(at.n);
    if (key === "name") return at.name;
    if (key === "value") return typeof value === "string" ? value : stringifyExact(value);
    return at.groups[Number(key) - 1] ?? whole;
  });
}
