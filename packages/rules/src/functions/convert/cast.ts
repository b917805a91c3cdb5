import { RowError } from "../../value/row-error.ts";
import { Instant, shown } from "../../value/value.ts";
import { defineFunction } from "../define-function.ts";
import { type CastType, cannotCast, castTypes } from "./part-cast.ts";
import { compatCasts } from "./part-cast-compat.ts";
import { strictCasts } from "./part-cast-strict.ts";

const noon = new Instant(1_793_536_496_789_000);

export const cast = defineFunction({
  name: "cast",
  group: "convert",
  summary:
    "The value as another type: bigint, float, string, boolean, datetime (of milliseconds since 1970 UTC, or a text such as " +
    "2026-11-01T12:34:56.789Z) or bytea (of base64). Strict mode refuses what would lose something or may be meant in two ways",
  params: [
    { name: "value", is: "any" },
    { name: "type", is: "text" },
  ],
  examples: [
    { sql: "cast('constructor', 'boolean')", gives: { error: /Cannot/ } },
    { sql: "cast('215', 'bigint')", gives: 215n },
    { sql: "cast(x, 'bigint')", of: { x: 21.5 }, gives: 21n, mode: "compat" },
    { sql: "cast(x, 'bigint')", of: { x: 21.5 }, gives: { error: /no whole number; round/ }, mode: "strict" },
    { sql: "cast(x, 'bigint')", of: { x: 21.0 }, gives: 21n },
    { sql: "cast('010', 'bigint')", gives: 8n, mode: "compat" },
    { sql: "cast('010', 'bigint')", gives: 10n, mode: "strict" },
    { sql: "cast('-0x1f', 'bigint')", gives: -31n, mode: "compat" },
    { sql: "cast('-0x1f', 'bigint')", gives: { error: /Cannot cast string "-0x1f" to bigint/ }, mode: "strict" },
    { sql: "cast('0x_7f_ff', 'bigint')", gives: 32767n, mode: "compat" },
    { sql: "cast('1_000', 'bigint')", gives: { error: /Cannot cast string "1_000" to bigint/ } },
    { sql: "cast(true, 'bigint')", gives: 1n },
    { sql: "cast(x, 'bigint')", of: { x: 1e300 }, gives: -9_223_372_036_854_775_808n, mode: "compat" },
    { sql: "cast(x, 'bigint')", of: { x: 1e300 }, gives: { error: /to bigint/ }, mode: "strict" },
    { sql: "cast('1e3', 'float')", gives: 1000 },
    { sql: "cast(7, 'float')", gives: 7 },
    { sql: "cast(true, 'float')", gives: 1, mode: "compat" },
    { sql: "cast(true, 'float')", gives: { error: /Cannot cast boolean true to float/ }, mode: "strict" },
    { sql: "cast('-inf', 'float')", gives: Number.NEGATIVE_INFINITY, mode: "compat" },
    { sql: "cast('-inf', 'float')", gives: { error: /to float/ }, mode: "strict" },
    { sql: "cast(x, 'string')", of: { x: 21.5 }, gives: "21.5" },
    { sql: "cast(x, 'string')", of: { x: 1e21 }, gives: "1000000000000000000000" },
    { sql: "cast(7, 'string')", gives: "7" },
    { sql: "cast(b, 'string')", of: { b: Uint8Array.of(104, 105) }, gives: "hi" },
    { sql: "cast(b, 'string')", of: { b: Uint8Array.of(0xff) }, gives: "\ufffd", mode: "compat" },
    { sql: "cast(b, 'string')", of: { b: Uint8Array.of(0xff) }, gives: { error: /to string/ }, mode: "strict" },
    { sql: "cast(t, 'string')", of: { t: noon }, gives: "2026-11-01 12:34:56.789 +0000 UTC", mode: "compat" },
    { sql: "cast(t, 'string')", of: { t: noon }, gives: "2026-11-01T12:34:56.789Z", mode: "strict" },
    { sql: "cast(a, 'string')", of: { a: [1n] }, gives: { error: /Cannot cast array \[1\] to string/ } },
    { sql: "cast('true', 'boolean')", gives: true },
    { sql: "cast('T', 'boolean')", gives: true, mode: "compat" },
    { sql: "cast('T', 'boolean')", gives: { error: /Cannot cast string "T" to boolean/ }, mode: "strict" },
    { sql: "cast('False', 'boolean')", gives: false },
    { sql: "cast(0, 'boolean')", gives: false },
    { sql: "cast(2.5, 'boolean')", gives: true, mode: "compat" },
    { sql: "cast(2.5, 'boolean')", gives: { error: /Cannot cast float 2.5 to boolean/ }, mode: "strict" },
    { sql: "cast(1793536496789, 'datetime')", gives: noon },
    { sql: "cast('2026-11-01T13:34:56.789+01:00', 'datetime')", gives: noon },
    { sql: "cast('2026-11-01 12:34:56.789', 'datetime')", gives: noon },
    { sql: "cast('2026-02-30', 'datetime')", gives: { error: /Cannot call cast: "2026-02-30" is no time/ } },
    {
      sql: "cast(true, 'datetime')",
      gives: { error: /time must be datetime, milliseconds or text, and is boolean true/ },
    },
    { sql: "cast('aGk=', 'bytea')", gives: Uint8Array.of(104, 105) },
    { sql: "cast(7, 'bytea')", gives: { error: /Cannot cast bigint 7 to bytea/ } },
    { sql: "cast(x, 'bigint')", of: { x: null }, gives: null },
    { sql: "cast('1', 'int')", gives: { error: /there is no type "int", but bigint, float/ } },
    { sql: "cast('1', 7)", gives: { error: /type must be text, and is bigint 7/ } },
  ],
  check([, type]) {
    if (typeof type === "string") castTypeOf(type);
  },
  run([value, type], context) {
    castTypeOf(type as string);
    const casts = context.mode === "compat" ? compatCasts : strictCasts;
    const made = casts[type as CastType](value!, context);
    if (made === null) throw cannotCast(value!, type as CastType);
    return made;
  },
});

function castTypeOf(type: string): CastType {
  if ((castTypes as readonly string[]).includes(type)) return type as CastType;
  throw new RowError(`Cannot cast: there is no type ${shown(type)}, but ${castTypes.join(", ")}`);
}
