import { invalid } from "../errors.ts";
import { dnsLabel } from "../ids.ts";
import { limits } from "../limits.ts";

/** One name of a pattern. */
export interface PatternName {
  readonly name: string;
  /** what stands for each group in braces, in their order */
  readonly groups: readonly string[];
}
const mostGroups = 8;
const range = /^(\d{1,15})\.\.(\d{1,15})(?:\.\.(\d{1,15}))?$/;

/**
 * The names that a pattern stands for, in its order. Groups in braces: ranges with a step ("{02..10}" keeps the zeros,
 * "{1..9..2}", "{9..1}" downwards), lists ("{a,b,c}"), both ("{1..3,7}"); several groups make every combination, the last
 * one turning fastest. A list of patterns or plain names is taken one after the other.
 *
 * @throws AppError input/invalid naming pattern, and the name that breaks a rule, comes twice, or is one too many
 * @example expandPattern("temp-{09..11}") // temp-09, temp-10, temp-11
 */
export function expandPattern(pattern: string | readonly string[]): PatternName[] {
  const patterns = typeof pattern === "string" ? [pattern] : pattern;
  const names: PatternName[] = [];
  const seen = new Set<string>();
  for (const one of patterns) {
    const parts = partsOf(one);
    const count = parts.reduce((product, { choices }) => product * choices.length, 1);
    if (names.length + count > limits.changesPerRequest) throw refuse(one, tooMany);
    for (const found of combinations(parts)) {
      if (!dnsLabel.test(found.name)) {
        throw refuse(
          one,
          `makes the name "${found.name}", which must be lower-case letters, digits and "-", at most 63`,
        );
      }
      if (seen.has(found.name)) throw refuse(one, `makes the name "${found.name}" twice`);
      seen.add(found.name);
      names.push(found);
    }
  }
  return names;
}

interface Part {
  readonly isGroup: boolean;
  readonly choices: readonly string[];
}
const tooMany = `must make at most ${limits.changesPerRequest} names`;

function refuse(pattern: string, rule: string) {
  return invalid([{ field: "pattern", value: `"${pattern}"`, rule }]);
}

function partsOf(pattern: string): Part[] {
  const pieces = pattern.split(/\{([^{}]*)\}/);
  const parts = pieces.map((piece, i): Part => {
    const isGroup = i % 2 === 1;
    if (!isGroup && /[{}]/.test(piece)) throw refuse(pattern, "must have a closing brace for each opening one");
    return { isGroup, choices: isGroup ? piece.split(",").flatMap((choice) => expand(pattern, choice)) : [piece] };
  });
  if (pieces.length > 2 * mostGroups + 1) throw refuse(pattern, `must have at most ${mostGroups} groups`);
  return parts;
}

function expand(pattern: string, choice: string): string[] {
  const [, first, last, by] = range.exec(choice) ?? [];
  if (first === undefined || last === undefined) {
    if (choice.includes("..")) throw refuse(pattern, `"{${choice}}" must be a range such as {02..10} or {1..9..2}`);
    return [choice];
  }
  const [from, to, step] = [Number(first), Number(last), Number(by ?? 1)];
  if (step === 0) throw refuse(pattern, `"{${choice}}" must have a step above 0`);
  const count = Math.floor(Math.abs(to - from) / step) + 1;
  if (count > limits.changesPerRequest) throw refuse(pattern, tooMany);
  const isPadded = [first, last].some((text) => text.length > 1 && text.startsWith("0"));
  const width = isPadded ? Math.max(first.length, last.length) : 0;
  return Array.from({ length: count }, (_, i) => String(from + (to < from ? -i : i) * step).padStart(width, "0"));
}

function combinations(parts: readonly Part[]): PatternName[] {
  let names: PatternName[] = [{ name: "", groups: [] }];
  for (const { isGroup, choices } of parts) {
    names = names.flatMap(({ name, groups }) =>
      choices.map((choice) => ({ name: name + choice, groups: isGroup ? [...groups, choice] : groups })),
    );
  }
  return names;
}
