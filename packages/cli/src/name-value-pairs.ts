import { type FieldError, invalid } from "@penstock/model";

/** Arguments of a method as people type them. @throws AppError input/invalid naming each that is not name=value, or stands twice */
export function nameValuePairs(given: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  const fields: FieldError[] = [];
  for (const text of given) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (at < 1) fields.push({ field: "arguments", value: JSON.stringify(text), rule: "must be name=value" });
    else if (pairs.has(name))
      fields.push({ field: `arguments.${name}`, value: JSON.stringify(text), rule: "stands twice" });
    pairs.set(name, text.slice(at + 1));
  }
  if (fields.length > 0) throw invalid(fields);
  return pairs;
}
