import { Instant } from "../../value/value.ts";
import { timeField } from "./part-time-field.ts";

export const hour = timeField({
  name: "hour",
  summary: "The hour of the day, 0 to 23",
  examples: [
    { sql: "hour(t)", of: { t: new Instant(1_793_536_496_789_000) }, gives: 12n },
    { sql: "hour('2026-02-28')", gives: 0n },
    { sql: "hour(convert_tz(1793536496789, 'Asia/Shanghai'))", gives: 20n },
    { sql: "hour(t)", of: { t: null }, gives: { error: /hour: time must be .*, and is null/ }, mode: "compat" },
    { sql: "hour(t)", of: { t: null }, gives: null, mode: "strict" },
    { sql: "hour(true)", gives: { error: /time must be datetime or number or text, and is boolean true/ } },
  ],
  read: ({ hour }) => BigInt(hour),
});
