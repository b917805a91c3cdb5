/** A JSON value of the API as a person reads it. */
export function valueText(value: unknown, unit: string | null): string {
  if (value === null || value === undefined) return "-";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return unit === null || unit === undefined ? text : `${text} ${unit}`;
}
