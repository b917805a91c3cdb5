import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const minute = timeField({
  name: "minute",
  summary: "The minute of the hour",
  examples: [
    { sql: "minute(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 34n },
    { sql: "minute('2026-02-28 07:08:09')", gives: 8n },
    { sql: "minute(convert_tz(1793536496789, 'Asia/Kolkata'))", gives: 4n },
    { sql: "minute(t)", of: { t: null }, gives: { error: /minute: time must be .*, and is null/ }, mode: "compat" },
    { sql: "minute(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "minute(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ minute }) => BigInt(minute),
});
