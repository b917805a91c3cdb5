import { AppError, type ExactJson } from "@penstock/model";

/** Names after dots, [n] of lists from 0, ['any name'] or ["any name"]; `$` or nothing stands for the whole. */
export const jsonPathPattern =
  "^(?:\\$|[^$.\\[\\]'\"\\s][^.\\[\\]'\"\\s]*)(?:\\.[^.\\[\\]'\"\\s]+|\\[\\d{1,6}\\]|\\['[^']+'\\]|\\[\"[^\"]+\"\\])*$";

const whole = new RegExp(jsonPathPattern, "u");
const part = /\[(\d+)\]|\['([^']+)'\]|\["([^"]+)"\]|\.?([^.[\]'"\s]+)/y;

/** A place in JSON: names of fields, positions in lists. */
export type JsonPath = readonly (string | number)[];

/**
 * Reads a path such as `$.rooms[0].temperature`, `a.b`, `["odd name"].x` after `$`. Nothing is ever evaluated: there are no
 * filters, wildcards or expressions.
 *
 * @throws AppError mapper/bad-address when it is none
 */
export function compileJsonPath(text: string): JsonPath {
  if (!whole.test(text))
    throw new AppError("mapper/bad-address", `Cannot look up "${text}": not a path such as $.a.b[0]`);
  const steps: (string | number)[] = [];
  part.lastIndex = text.startsWith("$") ? 1 : 0;
  while (part.lastIndex < text.length) {
    const [, position, single, double, name] = part.exec(text)!;
    steps.push(position === undefined ? (single ?? double ?? name!) : Number(position));
  }
  return steps;
}

/** What stands there; undefined when nothing does. Only the document's own fields and items count. */
export function lookUp(json: ExactJson, path: JsonPath): ExactJson | undefined {
  let value: ExactJson | undefined = json;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    const isList = Array.isArray(value);
    if (isList !== (typeof step === "number") || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, ExactJson>>)[step];
  }
  return value;
}
