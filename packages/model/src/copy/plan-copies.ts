import { type FieldError, invalid } from "../errors.ts";
import { limits } from "../limits.ts";
import { sameData } from "../resources/assigned-change.ts";
import type { DeviceModelSpec, DeviceSpec } from "../resources/device.ts";
import { mergeDevice } from "../resources/effective-device.ts";
import { shown } from "../shown.ts";
import { expandPattern } from "./expand-pattern.ts";
import { type FieldKeys, pathText, steppable, targetsOf, valueAt, withValue } from "./step-targets.ts";
import { type CopyAt, stepValue } from "./step-value.ts";

/** A device as it is copied. */
export interface CopySource {
  readonly metadata: {
    readonly name: string;
    readonly displayName?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: DeviceSpec;
}
export interface CopyRequest {
  readonly pattern: string | readonly string[];
  /** see `targetsOf` for paths and `stepValue` for steps */
  readonly steps?: Readonly<Record<string, unknown>>;
}
export interface CopyField {
  /** "properties.temperature.visitor.offset" */
  readonly field: string;
  /** the path as it was asked for */
  readonly step: string;
  readonly from: unknown;
  readonly to: unknown;
}
export interface CopyRow {
  /** from 1, in the order of the pattern */
  readonly row: number;
  readonly name: string;
  readonly fields: readonly CopyField[];
  readonly document: CopySource;
}
/** How a refusal names a row of the preview. */
export function copyRowText(row: number, name: string): string {
  return `row ${row} "${name}"`;
}

/**
 * What a copy would make, row by row; nothing is checked yet that depends on other devices. Where paths mean the same field,
 * the one that names it most closely counts.
 *
 * @param model  of the source: its fields are stepped too, the copies then state their own
 * @throws AppError input/invalid with every row and column that cannot be, and every path that means nothing
 */
export function planCopies(source: CopySource, model: DeviceModelSpec | null, request: CopyRequest): CopyRow[] {
  const names = expandPattern(request.pattern);
  const { properties, methods, ...merged } = mergeDevice(model, source.spec);
  const inherited = { ...merged, properties: Object.fromEntries(properties), methods: Object.fromEntries(methods) };
  const whole = { metadata: source.metadata, spec: { ...source.spec, ...inherited } };
  if (properties.size * names.length > limits.propertiesPerCopy) {
    const value = `${names.length} copies of ${properties.size} properties`;
    throw invalid([
      { field: "pattern", value, rule: `must be at most ${limits.propertiesPerCopy} properties together` },
    ]);
  }
  const fields: FieldError[] = [];
  const targets = stepsByTarget(whole, request.steps ?? {}, fields);
  if (fields.length > 0) throw invalid(fields);

  const rows = names.map(({ name, groups }, i): CopyRow => {
    const at: CopyAt = { n: i + 1, count: names.length, name, groups };
    let document: unknown = { ...source, metadata: { ...source.metadata, name } };
    const changed: CopyField[] = [];
    for (const { keys, path, step } of targets) {
      const from = valueAt(whole, keys);
      const stepped = stepValue(from, step, at);
      if ("problem" in stepped) {
        const field = `${copyRowText(i + 1, name)} ${pathText(keys)}`;
        fields.push({ field, value: shown(from), rule: stepped.problem });
        continue;
      }
      changed.push({ field: pathText(keys), step: path, from, to: stepped.value });
      if (!sameData(from, stepped.value)) document = withValue(document, whole, keys, stepped.value);
    }
    return { row: i + 1, name, fields: changed, document: document as CopySource };
  });
  if (fields.length > 0) throw invalid(fields.slice(0, limits.fieldsPerRefusal));
  return rows;
}

interface Target {
  readonly keys: FieldKeys;
  readonly path: string;
  readonly step: unknown;
}

function stepsByTarget(
  whole: { readonly metadata: unknown; readonly spec: unknown },
  steps: Readonly<Record<string, unknown>>,
  fields: FieldError[],
): Target[] {
  const found = new Map<string, Target & { readonly meant: number }>();
  for (const [path, step] of Object.entries(steps)) {
    const targets = targetsOf(whole, path);
    if (targets.length === 0) {
      const known = steppable(whole.spec).slice(0, 10).join(", ");
      fields.push({
        field: `steps.${path}`,
        value: shown(step),
        rule: `the device has no such field; it has ${known}`,
      });
    }
    for (const keys of targets) {
      if (pathText(keys) === "name") {
        fields.push({ field: `steps.${path}`, value: shown(step), rule: "names come from the pattern" });
        continue;
      }
      const key = JSON.stringify(keys);
      const other = found.get(key);
      if (other === undefined || targets.length < other.meant)
        found.set(key, { keys, path, step, meant: targets.length });
    }
  }
  return [...found.values()];
}
