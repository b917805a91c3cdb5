import { AppError, type Layout, type Micros } from "@penstock/model";
import { decodeSaved, encodeSaved, type ObjectValue, type Saved } from "@penstock/rules";
import { decodeBatchBody, decodeLayout, encodeBatchBody, encodeLayout } from "@penstock/wire";
import type { GivenOutput, RuleInput } from "./rule-state.ts";

/** Which output of which rule a row is: known again when it comes a second time. */
export interface Origin {
  readonly rule: string;
  readonly number: number;
  readonly row: number;
}

/** What stands in the journal of the rules' inputs. All but the head and layouts have a position, one after the other. */
export type InputRecord =
  | { readonly t: "head"; readonly first: number }
  | { readonly t: "layout"; readonly number: number; readonly layout: Layout }
  | { readonly t: "input"; readonly input: RuleInput; readonly from: Origin | null }
  | RuleRecord;
/** A rule began, stopped or ended: what it was planned from, and the number that its outputs go on from. */
export type RuleRecord =
  | {
      readonly t: "begin";
      readonly rule: string;
      readonly key: string;
      readonly number: number;
      /** `encodeSaved` of what it took over from the rule in whose place it came; null: it remembered nothing */
      readonly state: Uint8Array | null;
      /** what the rule in whose place it came gave, and no sink had taken */
      readonly outputs: readonly GivenOutput[];
    }
  /** It has stopped by itself: what came after it has not been seen by it. */
  | { readonly t: "stop" | "end"; readonly rule: string };

const version = 1;

export const encodeHead = (first: number) => encodeSaved(["head", version, first]);
export const encodeLayoutRecord = (number: number, layout: Layout) =>
  encodeSaved(["layout", number, encodeLayout(layout)]);

/** @param layoutNumber of a batch's layout in the file that it is written to */
export function encodeInput(input: RuleInput, from: Origin | null, layoutNumber: number): Uint8Array {
  switch (input.t) {
    case "tick":
      return encodeSaved(["tick", input.now]);
    case "batch":
      return encodeSaved(["batch", input.now, layoutNumber, encodeBatchBody(input.batch)]);
    case "row": {
      const { now, stream, content, meta, at } = input;
      const origin = from === null ? null : [from.rule, from.number, from.row];
      return encodeSaved(["row", now, stream, content, meta, at, origin]);
    }
  }
}

export function encodeRule(record: RuleRecord): Uint8Array {
  if (record.t !== "begin") return encodeSaved([record.t, record.rule]);
  const { rule, key, number, state, outputs } = record;
  return encodeSaved(["begin", rule, key, number, state, outputs.map(savedOutput)]);
}

export function savedOutput({ number, time, rows }: GivenOutput): Saved {
  return [number, time, rows];
}

/** @param layouts of the file so far @throws AppError data/corrupt */
export function decodeRecord(bytes: Uint8Array, layouts: ReadonlyMap<number, Layout>): InputRecord {
  const [t, ...rest] = decodeSaved(bytes) as unknown as readonly [string, ...Saved[]];
  switch (t) {
    case "head":
      if (rest[0] !== version) throw new AppError("data/corrupt", `Cannot read rule inputs of version ${rest[0]}`);
      return { t, first: rest[1] as number };
    case "layout":
      return { t, number: rest[0] as number, layout: decodeLayout(rest[1] as Uint8Array) };
    case "tick":
      return { t: "input", input: { t, now: rest[0] as Micros }, from: null };
    case "batch": {
      const layout = layouts.get(rest[1] as number);
      if (layout === undefined) throw new AppError("data/corrupt", `Cannot read rule inputs: no layout ${rest[1]}`);
      const batch = decodeBatchBody(layout, rest[2] as Uint8Array);
      return { t: "input", input: { t, now: rest[0] as Micros, batch }, from: null };
    }
    case "row": {
      const [now, stream, content, meta, at, origin] = rest as unknown as readonly [
        Micros,
        string,
        ObjectValue,
        ObjectValue,
        number,
        readonly [string, number, number] | null,
      ];
      const from = origin === null ? null : { rule: origin[0], number: origin[1], row: origin[2] };
      return { t: "input", input: { t, now, stream, content, meta, at }, from };
    }
    case "begin": {
      const [rule, key, number, state, given] = rest as unknown as readonly [
        string,
        string,
        number,
        Uint8Array | null,
        readonly (readonly [number, Micros, readonly ObjectValue[]])[],
      ];
      const outputs = given.map(([of, time, rows]) => ({ number: of, time, rows }));
      return { t, rule, key, number, state, outputs };
    }
    case "stop":
    case "end":
      return { t, rule: rest[0] as string };
    default:
      throw new AppError("data/corrupt", `Cannot read rule inputs: a record "${t}"`);
  }
}
