import type { Mode } from "../../parse/ast.ts";
import { RowError } from "../../value/row-error.ts";
import { isObject, type Value } from "../../value/value.ts";
import type { PathExpr, PathStep } from "./part-json-path.ts";
import { operate, plainText, toNumber, toTruth } from "./part-json-path-operate.ts";
import { charge, Missing, type PathRun } from "./part-json-path-state.ts";

/** What a path leads to: `many` where it has a step that may lead to several. */
export type Found = { readonly one: Value | Missing } | { readonly many: readonly Value[] };

/** @throws RowError for a path that is too expensive */
export function runJsonPath(expr: PathExpr, { root, mode }: { readonly root: Value; readonly mode: Mode }): Found {
  const run: PathRun = { root, mode, steps: 0 };
  return expr.t === "path" ? follow(expr, null, run) : { one: evaluate(expr, null, run) };
}

function evaluate(expr: PathExpr, current: Value, run: PathRun): Value | Missing {
  charge(run, 1);
  switch (expr.t) {
    case "literal":
      return expr.value;
    case "name":
      return named(expr.name, run);
    case "list": {
      const all = expr.of.map((one) => evaluate(one, current, run));
      return all.find((one) => one instanceof Missing) ?? (all as Value[]);
    }
    case "path": {
      const found = follow(expr, current, run);
      return "many" in found ? found.many : found.one;
    }
    case "unary": {
      const value = evaluate(expr.of, current, run);
      if (expr.op === "!") {
        const truth = toTruth(value, run.mode);
        return truth instanceof Missing ? truth : !truth;
      }
      const number = value instanceof Missing ? value : toNumber(value, run.mode);
      return number instanceof Missing ? number : -number;
    }
    default:
      return operate(expr.op, {
        left: evaluate(expr.left, current, run),
        right: () => evaluate(expr.right, current, run),
        run,
      });
  }
}

/** In gval a bare name is a field of the whole value, though eKuiper's page takes it for the field's name. */
function named(name: string, { root, mode }: PathRun): Value | Missing {
  if (mode === "strict") throw new RowError(`Cannot follow the JSON path: write "${name}" in quotes, or $.${name}`);
  return isObject(root) && Object.hasOwn(root, name) ? root[name]! : new Missing(`there is no field "${name}"`);
}

function follow({ from, steps }: Extract<PathExpr, { t: "path" }>, current: Value, run: PathRun): Found {
  const start = from === "$" ? run.root : current;
  const isOne = steps.every(({ t }) => t === "key");
  if (!isOne) {
    let found: Value[] = [start];
    for (const step of steps) found = found.flatMap((of) => stepFrom(of, step, run));
    return { many: found };
  }
  let one = start;
  for (const step of steps) {
    const next = select(one, (step as { readonly key: PathExpr }).key, run);
    if (next instanceof Missing) return { one: next };
    one = next;
  }
  return { one };
}

function stepFrom(of: Value, step: PathStep, run: PathRun): Value[] {
  switch (step.t) {
    case "key": {
      const found = select(of, step.key, run);
      return found instanceof Missing ? [] : [found];
    }
    case "keys":
      return step.keys.flatMap((key) => stepFrom(of, { t: "key", key }, run));
    case "all":
      return inside(of, run);
    case "deep":
      return deep(of, run);
    case "filter":
      return inside(of, run).filter((one) => toTruth(evaluate(step.when, one, run), run.mode) === true);
    default:
      return range(of, step.bounds, run);
  }
}

/** Elements, or values of fields. */
function inside(of: Value, run: PathRun): Value[] {
  const all = Array.isArray(of) ? [...(of as readonly Value[])] : isObject(of) ? Object.values(of) : [];
  charge(run, all.length + 1);
  return all;
}

function deep(of: Value, run: PathRun): Value[] {
  return [of, ...inside(of, run).flatMap((one) => deep(one, run))];
}

function select(of: Value, keyExpr: PathExpr, run: PathRun): Value | Missing {
  const key = evaluate(keyExpr, of, run);
  if (key instanceof Missing) return key;
  if (Array.isArray(of)) {
    const index = toNumber(key, run.mode);
    if (index instanceof Missing) return index;
    const whole = Math.trunc(index);
    // eKuiper does not count from the end here, unlike a[-1] of its SQL.
    const at = whole < 0 && run.mode === "strict" ? whole + of.length : whole;
    return at >= 0 && at < of.length ? (of[at] as Value) : new Missing(`there is no element ${whole} of ${of.length}`);
  }
  if (!isObject(of)) return new Missing("it leads into what is neither array nor struct");
  const name = plainText(key);
  if (name instanceof Missing) return name;
  return Object.hasOwn(of, name) ? of[name]! : new Missing(`there is no field ${JSON.stringify(name)}`);
}

/** `[from:to:step]`; below 0 counts from the end; a step below 0 takes the same elements from the last to the first. */
function range(of: Value, bounds: readonly (PathExpr | null)[], run: PathRun): Value[] {
  if (!Array.isArray(of)) return [];
  const [from, to, by] = [0, 1, 2].map((at) => {
    const bound = bounds[at] ?? null;
    if (bound === null) return [0, of.length, 1][at]!;
    const value = evaluate(bound, of, run);
    const number = value instanceof Missing ? value : toNumber(value, run.mode);
    return number instanceof Missing ? Number.NaN : Math.trunc(number);
  }) as [number, number, number];
  if (Number.isNaN(from + to + by)) return [];
  const inArray = (bound: number) => Math.min(of.length, Math.max(0, bound < 0 ? bound + of.length : bound));
  const [first, end, step] = [inArray(from), inArray(to), by === 0 ? 1 : by];
  const found: Value[] = [];
  if (step > 0) for (let at = first; at < end; at += step) found.push(of[at] as Value);
  else for (let at = end - 1; at >= first; at += step) found.push(of[at] as Value);
  charge(run, found.length);
  return found;
}
