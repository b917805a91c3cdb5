import { type Extent, isNumericType, type SettingsRule, valueTypes } from "@penstock/model";
import { numberTypes, s7Types, typeOf } from "./types.ts";

const bytesOf = Object.fromEntries(Object.entries(numberTypes).map(([name, { bytes }]) => [name, bytes]));
const bytesByValueType = Object.fromEntries(
  Object.entries(typeOf).map(([type, s7]) => [type, s7 === "bool" ? 1 : (bytesOf[s7] ?? 1)]),
);

/** Bytes that a point takes, for programs that do not load the mapper; `resolvePoint` says the same. */
export const pointExtent: Extent = {
  space: ["visitor.area", ["visitor.db", "address.db"]],
  start: "visitor.offset",
  length: {
    field: "visitor.area",
    sizes: { T: 1, C: 1 },
    otherwise: {
      field: "visitor.bit",
      sizes: Object.fromEntries(Array.from({ length: 8 }, (_, bit) => [String(bit), 1])),
      otherwise: {
        field: "visitor.type",
        sizes: {
          ...bytesByValueType,
          ...bytesOf,
          ...{ date_and_time: 8, dtl: 12 },
          string: { value: "visitor.length", plus: 2 },
          wstring: { value: "visitor.length", times: 2, plus: 4 },
          ...{ chars: { value: "visitor.length" }, bytes: { value: "visitor.length" } },
        },
        otherwise: 1,
      },
    },
  },
  size: 65536,
  part: "visitor.bit",
  partsOfPlace: 8,
};

const numbersAndBool = valueTypes.filter((type) => type === "bool" || isNumericType(type));
const texts = ["string", "wstring", "chars", "date_and_time", "dtl"] as const;
const words = s7Types.filter((type) => bytesOf[type] === 2);

/** What a schema of single fields cannot say of a point. */
export const visitorRules: readonly SettingsRule[] = [
  { when: { field: "visitor.offset", in: [null] }, require: ["visitor.address"], because: "a point lies somewhere" },
  { when: { field: "visitor.type", in: ["bool"] }, require: ["visitor.bit"], because: "a bool is one bit of a byte" },
  {
    when: { field: "visitor.type", in: s7Types.filter((type) => type !== "bool") },
    refuse: ["visitor.bit"],
    because: "only a bool is one bit of a byte",
  },
  {
    when: { field: "visitor.type", in: [...texts] },
    types: ["string"],
    because: "text and the PLC's own dates are read as text",
  },
  { when: { field: "visitor.type", in: ["bytes"] }, types: ["bytes"], because: "bytes are taken as they are" },
  {
    when: { field: "visitor.type", in: ["string", "wstring", "chars", "bytes"] },
    require: ["visitor.length"],
    because: "the PLC program declares it, and what lies behind begins there",
  },
  {
    when: { field: "visitor.type", in: [null, "bool", ...Object.keys(numberTypes)] },
    types: numbersAndBool,
    because: "only a number's type in the PLC follows from the property",
  },
  ...(["M", "I", "Q", "T", "C"] as const).map(
    (area): SettingsRule => ({
      when: { field: "visitor.area", in: [area] },
      refuse: ["visitor.db"],
      because: "only area DB has data blocks",
    }),
  ),
  {
    when: { field: "visitor.area", in: ["T", "C"] },
    refuse: ["visitor.bit", "visitor.length"],
    because: `timers and counters are words: ${words.join(", ")}`,
  },
];
