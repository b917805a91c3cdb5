import { limits } from "@penstock/model";
import { checkArgument, countProblem, paramAt } from "../functions/check-arguments.ts";
import type { AnalyticFunction, Memory } from "../functions/define-analytic.ts";
import type { Call, Expr, Mode, Star } from "../parse/ast.ts";
import { sqlError } from "../parse/sql-error.ts";
import type { Evaluate, Frame } from "../run/frame.ts";
import { RowError } from "../value/row-error.ts";
import type { Remembering } from "../value/saved.ts";
import { kindOf, shown, type Value } from "../value/value.ts";
import { usage } from "./compile-call.ts";
import { truthOf } from "./compile-expression.ts";

/** A call of an analytic function, to be started with the rule. */
export interface PlannedAnalytic {
  /** same text: same call of the same columns, so that one's memory is the other's */
  readonly fingerprint: string;
  start(): RunningAnalytic;
}

/** What an analytic call of a running rule remembers. */
export interface RunningAnalytic extends Remembering {
  /** @returns what it gives for the frame's row; called once a row, in order */
  next(frame: Frame): Value;
}

/** @throws AppError rules/bad-sql when it has too few or too many arguments, or a FILTER */
export function planAnalytic(
  call: Call,
  of: {
    readonly spec: AnalyticFunction;
    readonly sql: string;
    readonly mode: Mode;
    readonly fingerprint: string;
    compile(expr: Expr): Evaluate;
    wholeRow(star: Star): Evaluate;
  },
): PlannedAnalytic {
  const { spec, sql, mode, fingerprint, compile, wholeRow } = of;
  const { name, params, takesStar } = spec;
  if (call.filter !== null) throw sqlError(sql, call.filter, `${call.name} takes no FILTER`, "write OVER (WHEN …)");
  if ((call.over?.order.length ?? 0) > 0)
    throw sqlError(sql, call.over!, `${call.name} takes rows in the order in which they come`);
  const problem = countProblem(spec, call.args.length);
  if (problem !== null) throw sqlError(sql, call, problem, usage(spec));
  const args = call.args.map((arg) => {
    if (arg.t !== "star") return compile(arg);
    if (takesStar !== true) throw sqlError(sql, arg, `${call.name} takes no *`, usage(spec));
    return wholeRow(arg);
  });
  const partition = (call.over?.partition ?? []).map(compile);
  const when = call.over?.when == null ? null : compile(call.over.when);
  return {
    fingerprint,
    start() {
      const memories = new Map<string, { readonly memory: Memory; last: Value }>();
      return {
        fingerprint,
        next(frame) {
          const key = partitionOf(partition, frame, mode);
          let held = memories.get(key);
          if (held === undefined) {
            if (memories.size >= limits.partitionsPerCall) {
              throw new RowError(
                `Cannot call ${name}: PARTITION BY has given more than ${limits.partitionsPerCall} partitions`,
              );
            }
            held = { memory: spec.start({ mode }), last: null };
            memories.set(key, held);
          }
          // A row that WHEN leaves out changes nothing: what was last is still so.
          if (when !== null && truthOf(when(frame), "WHEN") !== true) return held.last;
          held.last = held.memory.next(args.map((arg, at) => checkArgument(name, paramAt(params, at), arg(frame))));
          return held.last;
        },
        save: () => [...memories].map(([key, { memory, last }]): Value => [key, memory.save(), last]),
        restore(saved) {
          for (const [key, kept, last] of saved as unknown as readonly [string, Value, Value][]) {
            const memory = spec.start({ mode });
            memory.restore(kept);
            memories.set(key, { memory, last });
          }
        },
      };
    },
  };
}

/** In compat mode the texts one after the other, as eKuiper has it: ('a', 'bc') and ('ab', 'c') are one partition. */
function partitionOf(keys: readonly Evaluate[], frame: Frame, mode: Mode): string {
  if (keys.length === 0) return "";
  const values = keys.map((key) => key(frame));
  if (mode === "compat") return values.map((value) => (typeof value === "string" ? value : shown(value))).join("");
  return values
    .map((value) => `${kindOf(value)} ${typeof value === "string" ? `${value.length} ${value}` : shown(value)}`)
    .join("|");
}
