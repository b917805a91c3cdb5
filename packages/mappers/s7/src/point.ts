import { float, int, oneOf, type Point, type Settings, text } from "@penstock/mapper-sdk";
import { areaNames } from "./areas.ts";
import { s7Types } from "./types.ts";

const db = { min: 1, max: 65535, optional: true } as const;

export const addressFields = {
  db: int({ ...db, summary: "Data block of this machine: where its properties name none. A copy of it has another" }),
};
export const visitorFields = {
  address: text({
    optional: true,
    maxLength: 32,
    example: "DB10.DBD4",
    summary:
      "Place as the PLC program writes it, such as DB10.DBD4, DB10.DBX0.3, MW20, I0.1, T5; or field by field below",
  }),
  area: oneOf([...areaNames], {
    default: "DB",
    summary: "Data block, flags (M), inputs (I), outputs (Q), timers (T), counters (C)",
  }),
  db: int({ ...db, summary: "Number of the data block; the device's own when missing" }),
  offset: int({ min: 0, max: 65535, optional: true, summary: "Byte, or number of the timer or counter" }),
  bit: int({ min: 0, max: 7, optional: true, summary: "Bit of that byte, from the lowest" }),
  type: oneOf([...s7Types], {
    optional: true,
    summary:
      "Type in the PLC; when missing it follows from the property's own: float32 is real, int16 is int, a bit is bool, a timer is s5time. time and s5time are milliseconds, counter is decimal digits",
  }),
  length: int({
    min: 1,
    max: 65535,
    optional: true,
    summary: "Characters that the PLC program declares for a string, wstring or chars; bytes of bytes",
  }),
  scale: float({ default: 1, summary: "Engineering units per count" }),
  bias: float({ default: 0, summary: "Engineering units at count 0, added after scaling" }),
};
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;
export type S7Point = Point<Address, Visitor>;
