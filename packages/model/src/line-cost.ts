import Type, { type Static } from "typebox";
import type { ReadCost } from "./plan-reads.ts";
import type { LineSettings } from "./resources/line.ts";
import type { Json } from "./value.ts";

const field = Type.String({ pattern: "^(connection|address|visitor)\\.[A-Za-z0-9_]+$" });
const closed = { additionalProperties: false };
const condition = Type.Object(
  { field, in: Type.Array(Type.Unknown(), { minItems: 1 }) },
  { ...closed, description: "first whose field has one of the values counts; without it, always" },
);
const count = Type.Number({ minimum: 0 });
const unless = Type.Object(
  { field, in: Type.Array(Type.Unknown(), { minItems: 1 }) },
  { ...closed, description: "where its field has one of the values, reads ask nobody and cost nothing" },
);

/** What reads cost a line: data of a mapper's manifest, so that the load of a line is told without protocol code. */
export const lineCostSchema = Type.Object(
  {
    unless: Type.Optional(unless),
    lines: Type.Array(
      Type.Object(
        {
          when: Type.Optional(condition),
          character: Type.Union(
            [
              count,
              Type.Object(
                {
                  ...{ baud: field, dataBits: field, parity: field, stopBits: field },
                  dataBitsOtherwise: Type.Integer({ minimum: 5, maximum: 9 }),
                },
                closed,
              ),
            ],
            {
              description:
                'microseconds of a character, or the fields of a serial line that give it; a parity of "none" takes no bit',
            },
          ),
          charactersEachByte: Type.Number({ minimum: 1, description: "2 where bytes are written as two hex digits" }),
          frame: Type.Number({ minimum: 0, description: "characters around question and answer together" }),
          silence: Type.Object(
            { characters: count, atLeast: count },
            { ...closed, description: "before each frame, in characters, but at least so many microseconds" },
          ),
          roundTrip: Type.Number({
            minimum: 0,
            description: "microseconds of a round trip besides its bytes, until one has been measured",
          }),
          overlaps: Type.Boolean({ description: "several questions may be under way at once" }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 20 },
    ),
    reads: Type.Array(
      Type.Object(
        {
          when: Type.Optional(condition),
          maxLength: Type.Integer({ minimum: 1, description: "most places that one question may ask for" }),
          bytes: Type.Number({ minimum: 0, description: "of question and answer together, besides data" }),
          bytesEachPlace: Type.Number({
            exclusiveMinimum: 0,
            description: "2 for a register of 16 bits, 0.125 for a bit",
          }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 20 },
    ),
    together: Type.Optional(
      Type.Object(
        {
          reads: Type.Integer({ minimum: 1, description: "most that one question may ask for" }),
          bytes: Type.Number({ exclusiveMinimum: 0, description: "most that their answers may have together" }),
          bytesEach: Type.Number({ minimum: 0, description: "of each in the answer, besides its data" }),
          bytesAsked: Type.Number({ minimum: 0, description: "of each in the question" }),
        },
        { ...closed, description: "several reads of one cycle share a question; `bytes` of a read count once for all" },
      ),
    ),
    maxGap: Type.Optional(
      Type.String({ ...field, description: "a field that limits what is read in vain, 2 bytes each" }),
    ),
  },
  closed,
);
export type LineCost = Static<typeof lineCostSchema>;

/** What a field says, defaults included. @param field "connection.baudRate" */
export type FieldReader = (field: string) => unknown;

/** One kind of read on one line, ready for `planReads`. */
export interface ReadTerms {
  readonly cost: ReadCost;
  readonly maxLength: number;
  readonly maxGap: number;
  /** bytes on the line, frame included: of question and answer, and of each place */
  readonly fixedBytes: number;
  readonly bytesEachPlace: number;
  /** questions whose waiting may overlap */
  readonly inFlight: number;
  /** where reads share questions: `cost` and `fixedBytes` are then of one more read, and these of one more question */
  readonly together?: {
    readonly reads: number;
    readonly bytes: number;
    readonly bytesEach: number;
    readonly questionUs: number;
    readonly questionBytes: number;
    readonly byteUs: number;
  };
}

/**
 * What a read costs on a line, by the mapper's own words.
 *
 * @param fieldOf    of connection and visitor
 * @param roundTripUs measured; what the manifest assumes unless given
 * @returns null when the manifest says nothing of such a line or read, or that it costs nothing
 */
export function readTerms(
  cost: LineCost,
  options: { fieldOf: FieldReader; line: Pick<LineSettings, "pauseMs" | "inFlight">; roundTripUs?: number },
): ReadTerms | null {
  const { fieldOf, line } = options;
  if (cost.unless !== undefined && holds(cost.unless, fieldOf)) return null;
  const kind = firstThatHolds(cost.lines, fieldOf);
  const read = firstThatHolds(cost.reads, fieldOf);
  if (kind === null || read === null) return null;
  const character = characterUs(kind.character, fieldOf);
  const byte = character * kind.charactersEachByte;
  // A silence before the question and one before the answer.
  const silence = 2 * Math.max(kind.silence.characters * character, kind.silence.atLeast);
  const fixedBytes = kind.frame + read.bytes * kind.charactersEachByte;
  const waiting = silence + (options.roundTripUs ?? kind.roundTrip) + line.pauseMs * 1000;
  const gap = cost.maxGap === undefined ? undefined : fieldOf(cost.maxGap);
  const question = fixedBytes * character + waiting;
  const terms = {
    cost: { fixed: question, perUnit: read.bytesEachPlace * byte },
    maxLength: read.maxLength,
    maxGap: typeof gap === "number" ? (gap * 2) / read.bytesEachPlace : Number.POSITIVE_INFINITY,
    fixedBytes,
    bytesEachPlace: read.bytesEachPlace * kind.charactersEachByte,
    inFlight: kind.overlaps ? line.inFlight : 1,
  };
  const { together } = cost;
  if (together === undefined) return terms;
  const { reads, bytes, bytesEach, bytesAsked } = together;
  // A read takes its share of the question that it fills, whichever of the two runs out first.
  const share = Math.max(1 / reads, bytesEach / bytes);
  return {
    ...terms,
    cost: {
      fixed: question * share + (bytesEach + bytesAsked) * byte,
      perUnit: read.bytesEachPlace * (question / bytes + byte),
    },
    fixedBytes: (bytesEach + bytesAsked) * kind.charactersEachByte,
    together: { reads, bytes, bytesEach, questionUs: question, questionBytes: fixedBytes, byteUs: byte },
  };
}

function firstThatHolds<T extends { readonly when?: { field: string; in: unknown[] } }>(
  all: readonly T[],
  fieldOf: FieldReader,
): T | null {
  return all.find(({ when }) => when === undefined || holds(when, fieldOf)) ?? null;
}

function holds(condition: { readonly field: string; readonly in: readonly unknown[] }, fieldOf: FieldReader): boolean {
  return condition.in.includes((fieldOf(condition.field) ?? null) as Json);
}

/** Start bit, data bits, parity, stop bits. */
function characterUs(character: LineCost["lines"][number]["character"], fieldOf: FieldReader): number {
  if (typeof character === "number") return character;
  const number = (field: string, otherwise: number) => Number(fieldOf(field) ?? otherwise);
  const parity = fieldOf(character.parity) ?? "none";
  const bits =
    1 +
    number(character.dataBits, character.dataBitsOtherwise) +
    (parity === "none" ? 0 : 1) +
    number(character.stopBits, 1);
  return (bits * 1_000_000) / number(character.baud, 9600);
}
