import { limits } from "../limits.ts";
import { checkUnit } from "../resources/check-unit.ts";
import { formatDuration } from "../time.ts";
import { isIntegerType, isNumericType, type ValueType } from "../value.ts";
import type { Fields } from "./fields.ts";

/** KubeEdge's seven types; STREAM has no equal. */
export const typesOfKubeEdge: Readonly<Record<string, ValueType>> = {
  INT: "int64",
  FLOAT: "float32",
  DOUBLE: "float64",
  STRING: "string",
  BOOLEAN: "bool",
  BYTES: "bytes",
};

/** From here on a cycle can only be meant in nanoseconds: 10,000 s and more between two readings nobody writes in ms. */
const nanosecondsFrom = 10_000_000;
/** What KubeEdge takes for 0 and for a cycle that is not there. */
export const kubeEdgeCycleMs = 1000;

/**
 * A time of KubeEdge in ms. Its documentation shows nanoseconds, its code since July 2024 counts milliseconds, and files of
 * both kinds are about.
 */
export function takeMs(
  fields: Fields,
  key: string,
  bounds: { readonly least: number; readonly most: number },
): number | undefined {
  const given = fields.number(key);
  if (given === undefined) return undefined;
  if (given === 0) {
    fields.tell(key, { level: "note", why: "0 means 1 s to KubeEdge: taken as 1s" });
    return kubeEdgeCycleMs;
  }
  let ms = given;
  if (given >= nanosecondsFrom) {
    ms = given / 1_000_000;
    fields.tell(key, {
      level: "note",
      why: `looks like nanoseconds: taken as ${formatDuration(ms)}, not as ${formatDuration(given)}`,
      todo: "check the time",
    });
  }
  const kept = Math.min(bounds.most, Math.max(bounds.least, Math.round(ms)));
  if (kept !== ms) {
    const range = `${formatDuration(bounds.least)}..${formatDuration(bounds.most)}`;
    fields.tell(key, {
      level: "lossy",
      why: `taken as ${formatDuration(kept)}: a time must be whole ms within ${range}`,
    });
  }
  return kept;
}

export const cycleBounds = { least: limits.collectEveryMinMs, most: limits.collectEveryMaxMs };

/** A bound, which KubeEdge writes as text and checks nowhere, as one of the property's type. */
export function takeBound(fields: Fields, key: "minimum" | "maximum", type: ValueType): number | string | undefined {
  const text = fields.text(key);
  if (text === undefined || text === "") return undefined;
  const refuse = (why: string) => {
    fields.tell(key, { level: "lossy", why, todo: "state the bound in the model" });
    return undefined;
  };
  if (!isNumericType(type)) return refuse(`${type} has no range`);
  const trimmed = text.trim();
  if (isIntegerType(type)) {
    if (!/^-?\d{1,19}$/.test(trimmed)) return refuse(`must be a whole number for ${type}`);
    return Number.isSafeInteger(Number(trimmed)) ? Number(trimmed) : trimmed;
  }
  const number = Number(trimmed);
  return trimmed !== "" && Number.isFinite(number) ? number : refuse("must be a number");
}

/** Words that people write for a unit; what is no UCUM otherwise stands in braces, as UCUM has it for words. */
const words: ReadonlyMap<string, string> = new Map([
  ["degree celsius", "Cel"],
  ["degrees celsius", "Cel"],
  ["celsius", "Cel"],
  ["°c", "Cel"],
  ["℃", "Cel"],
  ["degree fahrenheit", "[degF]"],
  ["°f", "[degF]"],
  ["percent", "%"],
  ["volt", "V"],
  ["ampere", "A"],
  ["watt", "W"],
  ["pascal", "Pa"],
]);

/** @source UCUM 2.2, § 12: annotations in braces count as the unit 1 */
export function takeUnit(fields: Fields, key: string): string | undefined {
  const text = fields.text(key);
  if (text === undefined || text === "") return undefined;
  const known = words.get(text.trim().toLowerCase());
  if (known === undefined && checkUnit(text, "").length === 0 && text.length <= 32) return text;
  const unit = known ?? `{${text.replaceAll(/[{}\p{Cc}]/gu, " ").slice(0, 30)}}`;
  fields.tell(key, { level: "note", why: `is no UCUM unit: taken as ${unit}` });
  return unit;
}
