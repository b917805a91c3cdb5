import type { Shorthand } from "@penstock/model";
import type { AreaName } from "./areas.ts";

const [bit, number] = ["([0-7])", "(\\d{1,5})"];
const [inDb, ofDb, inArea] = ["visitor.db", "visitor.offset", "visitor.offset"];

/** Flags, inputs and outputs by both their English and German letters. */
const memories: readonly (readonly [letters: string, area: AreaName, like: string])[] = [
  ["M", "M", "M"],
  ["[IE]", "I", "I"],
  ["[QA]", "Q", "Q"],
];

/**
 * An address as PLC programs write it. The width letter (byte, word, double word, long word) must fit the type; which it
 * is, `widthOf` says.
 */
export const addressText: Shorthand = {
  field: "visitor.address",
  forms: [
    {
      like: "DB10.DBX0.3",
      pattern: `^DB${number}\\.DBX${number}\\.${bit}$`,
      gives: [inDb, ofDb, "visitor.bit"],
      sets: { "visitor.area": "DB" },
    },
    {
      like: "DB10.DBD4",
      pattern: `^DB${number}\\.DB[BWDL]${number}$`,
      gives: [inDb, ofDb],
      sets: { "visitor.area": "DB" },
    },
    {
      like: "DBX0.3",
      pattern: `^DBX${number}\\.${bit}$`,
      gives: [ofDb, "visitor.bit"],
      sets: { "visitor.area": "DB" },
    },
    { like: "DBD4", pattern: `^DB[BWDL]${number}$`, gives: [ofDb], sets: { "visitor.area": "DB" } },
    ...memories.flatMap(([letters, area, like]) => [
      {
        like: `${like}0.3`,
        pattern: `^${letters}X?${number}\\.${bit}$`,
        gives: [inArea, "visitor.bit"],
        sets: { "visitor.area": area },
      },
      { like: `${like}W20`, pattern: `^${letters}[BWDL]${number}$`, gives: [inArea], sets: { "visitor.area": area } },
    ]),
    { like: "T5", pattern: `^T${number}$`, gives: [inArea], sets: { "visitor.area": "T" } },
    { like: "C5", pattern: `^[CZ]${number}$`, gives: [inArea], sets: { "visitor.area": "C" } },
  ],
};

const widths: Readonly<Record<string, number>> = { B: 1, W: 2, D: 4, L: 8 };

/** bytes that an address in text names; null for bits, timers and counters */
export function widthOf(text: string): number | null {
  const letter = /(?:DB|[MIEQA])([BWDL])\d+$/.exec(text)?.[1];
  return letter === undefined ? null : widths[letter]!;
}
