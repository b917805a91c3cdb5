import { readFileSync } from "node:fs";
import { type Fact, factValue } from "./facts.ts";

interface WitnessLine {
  readonly e: string;
  readonly s: number;
  readonly d: string;
  readonly r: readonly (readonly [property: string, time: number, value: unknown, quality: string])[];
}

/** Every reading whose append resolved, from the witness files of an agent's lives (edge/src/witness-line.ts). */
export function readWitness(paths: readonly string[]): Fact[] {
  const facts: Fact[] = [];
  const names = new Map<string, string>();
  for (const line of linesOf(paths)) {
    line.r.forEach(([property, time, value, quality], row) => {
      const series = `${line.d}/${property}`;
      const shared = names.get(series) ?? series;
      names.set(shared, shared);
      facts.push({ epoch: line.e, seq: line.s + row, series: shared, time, value: factValue(value, quality) });
    });
  }
  return facts;
}

/** @returns what was accepted, as seq numbers by epoch, without looking at the readings */
export function acceptedSeqs(
  paths: readonly string[],
): { readonly epoch: string; readonly from: number; readonly to: number }[] {
  return [...linesOf(paths)].map(({ e, s, r }) => ({ epoch: e, from: s, to: s + r.length - 1 }));
}

/** The last line of a life may be torn by its kill: the reading was not yet accepted to the outside. */
function* linesOf(paths: readonly string[]): Generator<WitnessLine> {
  for (const path of paths) {
    for (const text of readFileSync(path, "utf8").split("\n").slice(0, -1)) yield JSON.parse(text) as WitnessLine;
  }
}
