import type { ValueType } from "@penstock/model";

/** How DMI writes a value's type and what may be done with it. */
export const dmiAccess = { read: "ReadOnly", readWrite: "ReadWrite" } as const;

/** The nearest of ours to a type of a DMI model; null for one that carries no values. Case does not count. */
export function fromDmiType(type: string): ValueType | null {
  return ours[type.toLowerCase()] ?? null;
}
const ours: Readonly<Record<string, ValueType>> = {
  ...{ int: "int64", integer: "int64", float: "float32", double: "float64", string: "string" },
  ...{ boolean: "bool", bool: "bool", bytes: "bytes" },
};
