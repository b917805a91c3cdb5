import { unitText } from "@penstock/model";

/** A JSON value of the API as a person reads it; `unit` is UCUM. */
export function valueText(value: unknown, unit: string | null): string {
  if (value === null || value === undefined) return "-";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return unit === null || unit === undefined ? text : `${text} ${unitText(unit)}`;
}

/** A mean has more digits than any sensor: 35.016666666666666 is 35.01667. Integers beyond a double come as text and stay whole. */
export function roundedText(value: unknown, unit: string | null): string {
  return valueText(typeof value === "number" ? Number(value.toPrecision(7)) : value, unit);
}
