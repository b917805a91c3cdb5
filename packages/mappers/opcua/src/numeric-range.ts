import { ReadValueId } from "node-opcua-client";

type NumericRange = ReadValueId["indexRange"];

// The library does not export the class, only values of it.
const NumericRange = new ReadValueId({}).indexRange.constructor as new (text: string) => NumericRange;

/** @param text as OPC UA writes it: "2", "0:9", "0:1,3:4". @source OPC UA 1.05 Part 4, 7.27 */
export function numericRange(text: string): NumericRange {
  return new NumericRange(text);
}
