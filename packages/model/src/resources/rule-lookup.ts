import Type, { type Static } from "typebox";
import { limits } from "../limits.ts";
import { durationSchema } from "./common.ts";
import { account, headers, secret, strict, tableName, template, url } from "./rule-parts.ts";

/**
 * A table that is somewhere else, and asked for the rows that have the values which a join wants:
 * `ON tank.batch = batches.id` asks for `{ id: … }`. Texts may hold `${column}`, the value of a column that is asked by.
 */
export const ruleLookupSchema = Type.Object(
  {
    /** one key for each question; json: its value is a row or a list of them; list: of such texts; hash: its fields */
    redis: Type.Optional(
      Type.Object(
        {
          url: url("^rediss?://"),
          ...account,
          /** left out: the value that is asked by, which is one then */
          key: Type.Optional(template(1024)),
          as: Type.Optional(
            Type.Union([Type.Literal("json"), Type.Literal("list"), Type.Literal("hash")], { default: "json" }),
          ),
        },
        strict,
      ),
    ),
    /** rows of a table, or view, of PostgreSQL, MySQL or MariaDB, whose columns have the values */
    sql: Type.Optional(
      Type.Object({ url: url("^(postgres|postgresql|mysql)://"), ...account, table: tableName }, strict),
    ),
    /** GET; the answer is a row as JSON or a list of them, those with other values are left out; 404 is none */
    http: Type.Optional(
      Type.Object({ url: template(2048), headers: Type.Optional(headers), token: Type.Optional(secret) }, strict),
    ),
    /** how long an answer is true; left out: 1 min; "0s": for those alone that wait for it */
    ttl: Type.Optional(durationSchema),
    /** answers that are kept; beyond, the oldest go */
    most: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.lookupAnswers, default: 10_000 })),
    /** how long an answer may take; left out: 5 s. Without one a row has no partner, and the error is counted */
    timeout: Type.Optional(durationSchema),
  },
  strict,
);
export type RuleLookupSpec = Static<typeof ruleLookupSchema>;
