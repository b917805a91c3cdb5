import { float, int, oneOf, type Point, rawTypes, type Settings } from "@penstock/mapper-sdk";
import { tables } from "./pdu.ts";
import { wordOrders } from "./registers.ts";
import { encodings, paddings } from "./text-registers.ts";

export const addressFields = {
  unitId: int({
    min: 0,
    max: 255,
    default: 1,
    summary: "Unit (slave) behind the address; 0 or 255 for the server itself",
  }),
};
/** What registers may hold: numbers, numbers with a decimal digit in four bits each, text, bytes. */
export const registerTypes = [...rawTypes, "bcd16", "bcd32", "string", "bytes"] as const;
export type RegisterType = (typeof registerTypes)[number];
export const visitorFields = {
  table: oneOf([...tables], { summary: "Which of the four tables the value lies in" }),
  offset: int({ min: 0, max: 65535, summary: "Protocol address, counted from 0: manual's 40001 is 0 in holding" }),
  raw: oneOf([...registerTypes], {
    optional: true,
    summary: "Type in the device; the property's own number type when missing",
  }),
  wordOrder: oneOf([...wordOrders], {
    default: "ABCD",
    summary:
      "Order of bytes as the manual prints it for 32 bits; text and bytes go by the same rule over all registers",
  }),
  length: int({ min: 1, max: 123, optional: true, summary: "Registers that a string or bytes take" }),
  encoding: oneOf([...encodings], { default: "utf-8", summary: "Of a string" }),
  padding: oneOf([...paddings], {
    default: "nul",
    summary: "What fills a string up that is shorter than its registers",
  }),
  bit: int({
    min: 0,
    max: 15,
    optional: true,
    summary: "One bit of a register, or the first of several, from the lowest",
  }),
  bits: int({ min: 1, max: 16, default: 1, summary: "How many bits, with bit: more than one are a number" }),
  scale: float({ default: 1, summary: "Engineering units per count" }),
  bias: float({ default: 0, summary: "Engineering units at count 0, added after scaling" }),
  writeWith: oneOf(["auto", "single", "multiple", "readWrite", "readModifyWrite"], {
    default: "auto",
    summary:
      "Functions 5 and 6 (single), 15 and 16 (multiple), 23, which reads back what it wrote (readWrite); auto takes 5 and 6 for one coil or register, else 15 and 16. Bits of registers are written with 22; readModifyWrite allows to read and write the whole register where a device has no function 22, which undoes what the device changes in between",
  }),
};
export type Address = Settings<typeof addressFields>;
export type Visitor = Settings<typeof visitorFields>;
export type ModbusPoint = Point<Address, Visitor>;
