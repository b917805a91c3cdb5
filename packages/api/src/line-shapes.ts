import { loadStates, nameSchema, tightLoadPercent } from "@penstock/model";
import Type from "typebox";
import { nullable } from "./shapes.ts";

const share = Type.Object({
  device: nameSchema,
  cadence: Type.String({ description: 'such as "every 1s"' }),
  properties: Type.Integer(),
  percent: Type.Number({ description: "of the line's time" }),
  requestsPerSecond: Type.Number(),
});
/** What takes the most of a line. */
export const lineShares = Type.Array(share, { description: "what takes the most of it, the most first" });

const figures = nullable(
  Type.Object(
    { percent: Type.Number(), requestsPerSecond: Type.Number() },
    { description: "100 percent: the line is never silent; null: it is not there, or nobody can tell" },
  ),
);

/** What a change makes of the lines that it touches, predicted before it is stored. */
export const lineChanges = Type.Array(
  Type.Object({
    connection: nullable(Type.String({ description: "null: the line belongs to the one device" })),
    device: nullable(nameSchema),
    node: nameSchema,
    protocol: nameSchema,
    before: figures,
    after: figures,
    unpredicted: nullable(Type.String({ description: "why nothing is predicted" })),
    state: Type.Enum([...loadStates], {
      description: `after the change: tight from ${tightLoadPercent} percent on, overloaded beyond 100`,
    }),
    most: lineShares,
  }),
  { description: "of a dry run: predicted load of each line that is touched, the fullest first; else empty" },
);
