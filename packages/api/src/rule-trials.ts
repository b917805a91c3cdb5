import { ruleSpecSchema } from "@penstock/model";
import Type from "typebox";
import { resource, route } from "./route.ts";
import { closed, nameSchema, nullable, tenantParams, timeSchema } from "./shapes.ts";

/** rows that one trial takes */
export const trialRows = 1000;
const row = Type.Record(Type.String(), Type.Unknown());
const moment = Type.String({ maxLength: 64, description: "RFC 3339, now, or a duration before now such as -1h" });

/** What a rule would do: nothing is stored, and no gateway hears of it. */
export const ruleTrials = resource({
  name: "rule-trials",
  summary: "rules tried on rows",
  routes: {
    run: route({
      method: "POST",
      path: "/api/v1/tenants/{tenant}/rule-trials",
      summary: "Runs a rule on typed-in rows, or on what is stored of the devices that it reads, and tells each step",
      permission: "devices:write",
      params: tenantParams,
      body: Type.Object(
        {
          spec: ruleSpecSchema,
          rows: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  stream: Type.Optional(Type.String({ description: "the first that the SQL names unless stated" })),
                  time: Type.Optional(timeSchema),
                  values: row,
                },
                closed,
              ),
              {
                maxItems: trialRows,
                description:
                  "in their order; a row without time comes a second after the one before; those whose stream is a lookup table are what it answers, wherever they stand",
              },
            ),
          ),
          recorded: Type.Optional(
            Type.Object({ from: moment, to: Type.Optional(moment) }, { ...closed, description: "instead of rows" }),
          ),
        },
        closed,
      ),
      response: Type.Object({
        node: nullable(nameSchema),
        rowsIn: Type.Integer(),
        truncated: Type.Boolean({ description: `more was recorded than ${trialRows} rows` }),
        steps: Type.Array(
          Type.Object({
            time: timeSchema,
            stream: nullable(Type.String({ description: "null: time has passed" })),
            row: nullable(row),
            passed: nullable(
              Type.Boolean({ description: "WHERE and FILTER let it pass; null where rows are joined first" }),
            ),
            outputs: Type.Array(Type.Object({ number: Type.Integer(), rows: Type.Array(row) })),
            errors: Type.Array(Type.String()),
            closesAt: nullable(Type.String({ description: "when the next open window closes" })),
          }),
        ),
      }),
      errors: ["resource/not-found", "resource/missing-reference", "request/unsupported-media", "input/too-large"],
      examples: [
        {
          summary: "Two typed-in rows",
          body: {
            spec: { nodes: ["gw-01"], sql: "SELECT level FROM tank WHERE level > 1", actions: [{ log: {} }] },
            rows: [{ values: { level: 0.5 } }, { values: { level: 1.5 } }],
          },
        },
      ],
    }),
  },
});
