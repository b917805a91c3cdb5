import { type ExtentLength, isNumericType, type SettingsRule, valueTypes } from "@penstock/model";

/** How many registers or bits a point takes, for programs that do not load the mapper; `resolvePoint` says the same. */
export const pointLength: ExtentLength = {
  field: "visitor.table",
  sizes: { coil: 1, discrete: 1 },
  otherwise: {
    field: "visitor.bit",
    sizes: Object.fromEntries(Array.from({ length: 16 }, (_, bit) => [String(bit), 1])),
    otherwise: {
      field: "visitor.raw",
      sizes: {
        ...{ int32: 2, uint32: 2, float32: 2, bcd32: 2, int64: 4, uint64: 4, float64: 4 },
        ...{ string: { value: "visitor.length" }, bytes: { value: "visitor.length" } },
      },
      otherwise: 1,
    },
  },
};

/** A server offers all four tables, and what it sets in them others read. */
const isServer = { field: "connection.role", in: ["server"] };
const bitTables = { field: "visitor.table", in: ["coil", "discrete"] };
const numbersAndBool = valueTypes.filter((type) => type === "bool" || isNumericType(type));

/** What a schema of single fields cannot say of a point. */
export const visitorRules: readonly SettingsRule[] = [
  {
    when: { field: "visitor.table", in: ["input"] },
    unless: isServer,
    access: ["read"],
    because: "Modbus has no function that writes input registers",
  },
  {
    when: { field: "visitor.table", in: ["discrete"] },
    unless: isServer,
    access: ["read"],
    because: "Modbus has no function that writes discrete inputs",
  },
  {
    when: bitTables,
    refuse: ["visitor.raw", "visitor.bit", "visitor.length"],
    types: numbersAndBool,
    because: "each place of a bit table is one bit",
  },
  {
    when: { field: "visitor.raw", in: ["string"] },
    require: ["visitor.length"],
    refuse: ["visitor.bit"],
    types: ["string"],
    because: "text takes as many registers as are stated",
  },
  {
    when: { field: "visitor.raw", in: ["bytes"] },
    require: ["visitor.length"],
    refuse: ["visitor.bit"],
    types: ["bytes"],
    because: "bytes take as many registers as are stated",
  },
  {
    when: { field: "visitor.raw", in: [null] },
    types: numbersAndBool,
    because: "only a number's type in the device follows from the property",
  },
  {
    when: { field: "visitor.raw", in: ["int32", "uint32", "int64", "uint64", "float32", "float64", "bcd16", "bcd32"] },
    refuse: ["visitor.bit"],
    because: "a bit lies in one register",
  },
  {
    when: { field: "visitor.bits", in: Array.from({ length: 15 }, (_, i) => i + 2) },
    require: ["visitor.bit"],
    because: "bit says from where",
  },
];
