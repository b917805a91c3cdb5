import { limits } from "@penstock/model";
import { RE2JS } from "re2js";
import { effort } from "../../run/effort.ts";
import { RowError } from "../../value/row-error.ts";
import { shown, type Value } from "../../value/value.ts";
import { BoundedCache } from "../bounded-cache.ts";

/** Of one pattern, for the states that it came through; what needs more is matched without them. */
const statesBytes = 131_072;
/** Patterns are mostly constants; those of all rules together are kept. */
const kept = new BoundedCache(100, compile);

export interface Regexp {
  readonly re: RE2JS;
  /** what it may do for each character at most */
  readonly steps: number;
  /** it may look at all that follows a place before it is known what matches there */
  readonly looksFar: boolean;
}

/**
 * A regular expression in the syntax of Go: to find what matches first takes time that grows with the text alone.
 *
 * @throws RowError for what is none, is too long, or would take too much time for each character
 * @source github.com/google/re2/wiki/Syntax
 */
export function regexpOf(pattern: string): Regexp {
  return kept.get(pattern);
}

/** Of a call whose second argument is a pattern. @throws as `regexpOf` */
export function checkPattern([, pattern]: readonly (Value | undefined)[]): void {
  if (typeof pattern === "string") regexpOf(pattern);
}

function compile(pattern: string): Regexp {
  if (pattern.length > limits.regexpChars)
    throw cannotUse(pattern, `it is longer than ${limits.regexpChars} characters`);
  let re: RE2JS;
  try {
    re = RE2JS.compile(pattern);
  } catch (cause) {
    throw cannotUse(
      pattern,
      cause instanceof Error ? cause.message.replace("error parsing regexp: ", "") : String(cause),
    );
  }
  const steps = re.programSize();
  if (steps > limits.regexpSteps)
    throw cannotUse(pattern, `it has more than ${limits.regexpSteps} steps; repeat less in it`);
  const { dfa } = re.re2();
  dfa.stateBudget = statesBytes;
  dfa.memBudget = statesBytes;
  return { re, steps, looksFar: /[*+]|,\}/.test(pattern) };
}

function cannotUse(pattern: string, why: string): RowError {
  return new RowError(`Cannot use ${shown(pattern)} as a regular expression: ${why}`);
}

/** What one call does with a regular expression, counted before it is done. */
export class Effort {
  readonly #name: string;
  readonly #steps: number;
  #spent = 0;

  constructor(name: string, { steps }: Regexp) {
    this.#name = name;
    this.#steps = steps;
  }

  /** @throws RowError when it becomes too much: so many characters are looked at once more */
  look(characters: number): void {
    this.#spent += this.#steps * characters;
    effort.spend(Math.ceil((this.#steps * characters) / 2));
    if (this.#spent <= limits.regexpWork) return;
    throw new RowError(`Cannot call ${this.#name}: the pattern takes too much work for so long a text`);
  }
}
