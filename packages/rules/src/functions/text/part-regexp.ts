import { limits } from "@penstock/model";
import { RE2JS } from "re2js";
import { RowError } from "../../value/row-error.ts";
import { shown } from "../../value/value.ts";

/** Patterns are mostly constants; those of all rules together are kept, up to so many, and the oldest goes. */
const patternsKept = 100;
/** Of each, for the states that it came through; what needs more is matched without them. */
const statesBytes = 131_072;
const kept = new Map<string, RE2JS>();

/**
 * A regular expression in the syntax of Go, which matches in time that grows with the text alone.
 *
 * @throws RowError for what is none, is too long, or would take too much time for each character
 * @source github.com/google/re2/wiki/Syntax
 */
export function regexpOf(name: string, pattern: string): RE2JS {
  const known = kept.get(pattern);
  if (known !== undefined) return known;
  const made = compile(name, pattern);
  if (kept.size >= patternsKept) kept.delete(kept.keys().next().value!);
  kept.set(pattern, made);
  return made;
}

function compile(name: string, pattern: string): RE2JS {
  if (pattern.length > limits.regexpChars) {
    throw new RowError(`Cannot call ${name}: the pattern is longer than ${limits.regexpChars} characters`);
  }
  let made: RE2JS;
  try {
    made = RE2JS.compile(pattern);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace("error parsing regexp: ", "") : String(cause);
    throw new RowError(`Cannot call ${name}: the pattern ${shown(pattern)} is no regular expression: ${why}`);
  }
  if (made.programSize() > limits.regexpSteps) {
    throw new RowError(
      `Cannot call ${name}: the pattern ${shown(pattern)} has more than ${limits.regexpSteps} steps; repeat less in it`,
    );
  }
  const { dfa } = made.re2();
  dfa.stateBudget = statesBytes;
  dfa.memBudget = statesBytes;
  return made;
}
