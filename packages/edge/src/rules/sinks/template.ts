import type { ObjectValue, Value } from "@penstock/rules";
import { jsonOf } from "./row-json.ts";

const whole = /^\$\{([^{}]{1,256})\}$/;
const anywhere = /\$\{([^{}]{1,256})\}/g;

/** A text with the value of a column in the place of each "${column}"; null and what there is not become "". */
export function filled(template: string, row: ObjectValue): string {
  return template.includes("${")
    ? template.replace(anywhere, (_, name: string) => textOf(valueAt(row, name)))
    : template;
}

/** As `filled` in every text of a value; "${column}" alone keeps the column's type. */
export function filledValue(template: unknown, row: ObjectValue): Value {
  if (typeof template === "string") {
    const name = whole.exec(template)?.[1];
    return name === undefined ? filled(template, row) : valueAt(row, name);
  }
  if (Array.isArray(template)) return template.map((one) => filledValue(one, row));
  if (typeof template !== "object" || template === null) return template as Value;
  return Object.fromEntries(Object.entries(template).map(([name, one]) => [name, filledValue(one, row)]));
}

/** The columns that a template names, each once. */
export function columnsIn(template: unknown): readonly string[] {
  if (typeof template === "string") return [...new Set(Array.from(template.matchAll(anywhere), (match) => match[1]!))];
  if (typeof template !== "object" || template === null) return [];
  return [...new Set(Object.values(template).flatMap(columnsIn))];
}

/** The column of that name, else what stands at a path of names: "reading.level". */
function valueAt(row: ObjectValue, name: string): Value {
  if (Object.hasOwn(row, name)) return row[name]!;
  let at: Value = row;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return null;
    at = (at as ObjectValue)[part] ?? null;
  }
  return at;
}

function textOf(value: Value): string {
  if (value === null) return "";
  return typeof value === "string" ? value : jsonOf(value).replace(/^"(.*)"$/s, "$1");
}
