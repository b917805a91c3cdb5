import type { Micros } from "@penstock/model";
import { toBase64 } from "@penstock/model";
import { Instant, type ObjectValue, type Value } from "@penstock/rules";
import { refused } from "../delivery/peer-error.ts";
import { jsonOf } from "../row-json.ts";

export interface Point {
  readonly measurement: string;
  readonly tags: readonly (readonly [name: string, value: string])[];
  readonly fields: ObjectValue;
  readonly time: Micros;
}

const int64Least = -(2n ** 63n);
const int64Most = 2n ** 63n - 1n;
const uint64Most = 2n ** 64n - 1n;

/**
 * One line, without its end, with a time in microseconds. Tags without a value and fields that are null, NaN or infinite
 * are left out; moments are integers in milliseconds, arrays and structs JSON in a text.
 *
 * @throws AppError rules/sink-refused: nothing is left, or a name cannot be written
 * @source InfluxDB v2 documentation, "Line protocol": elements, special characters, naming restrictions
 */
export function lineOf({ measurement, tags, fields, time }: Point): string {
  const kept = tags.filter(([name, value]) => name !== "" && value !== "");
  kept.sort(([a], [b]) => (a < b ? -1 : 1));
  const values = Object.entries(fields).flatMap(([name, value]) => {
    const text = fieldText(name, value);
    return text === null ? [] : [`${named("field", name, /[,= ]/g)}=${text}`];
  });
  if (values.length === 0) throw refused("write a line", "no column of the row has a value");
  if (measurement.startsWith("#")) throw refused("write a line", "a measurement that starts with # is a comment");
  const head = [
    named("measurement", measurement, /[, ]/g),
    ...kept.map(([name, value]) => `${named("tag", name, /[,= ]/g)}=${named("value of a tag", value, /[,= ]/g)}`),
  ];
  return `${head.join(",")} ${values.join(",")} ${time}`;
}

function named(what: string, text: string, special: RegExp): string {
  if (text === "") throw refused("write a line", `the ${what} is empty`);
  // A line break ends the line, and nothing can escape it; a backslash at the end would escape what follows.
  if (/[\r\n]/.test(text) || text.endsWith("\\"))
    throw refused("write a line", `the ${what} has a line break, or ends in a backslash`);
  return text.replaceAll(special, (one) => `\\${one}`);
}

function fieldText(name: string, value: Value): string | null {
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "number":
      return Number.isFinite(value) ? String(value) : null;
    case "bigint":
      if (value >= int64Least && value <= int64Most) return `${value}i`;
      if (value >= 0n && value <= uint64Most) return `${value}u`;
      throw refused("write a line", `${name} has more than 64 bits`);
    case "string":
      return quoted(value);
    default:
  }
  if (value === null || value === undefined) return null;
  if (value instanceof Instant) return `${value.ms}i`;
  return quoted(value instanceof Uint8Array ? toBase64(value) : jsonOf(value));
}

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, (one) => `\\${one}`)}"`;
