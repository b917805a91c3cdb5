import Type from "typebox";
import { limits } from "../limits.ts";

/** "temp-{02..10}", or several of them, or plain names: see `expandPattern`. */
export const copyPatternSchema = Type.Union([
  Type.String({ minLength: 1, maxLength: 512 }),
  Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { minItems: 1, maxItems: limits.changesPerRequest }),
]);

/** By path: a number added from copy to copy, a list with one value for each copy, or text with placeholders. */
export const copyStepsSchema = Type.Record(Type.String({ minLength: 1, maxLength: 512 }), Type.Unknown(), {
  maxProperties: limits.stepsPerCopy,
  description: 'such as { "visitor.offset": 2, "address.unitId": [3, 5, 8] }',
});
