import { defineMapper } from "@penstock/mapper-sdk";
import { addressText } from "./address-text.ts";
import { S7Connection } from "./connection.ts";
import { connectionFields } from "./connection-fields.ts";
import { openLine } from "./open-line.ts";
import { addressFields, visitorFields } from "./point.ts";
import { pointExtent, visitorRules } from "./point-rules.ts";
import { readCost, smallPdu } from "./read-cost.ts";

export const s7 = defineMapper({
  name: "s7",
  summary: "Reads and writes the memory of Siemens S7 PLCs over ISO-on-TCP",
  version: "0.1.0",
  connection: connectionFields,
  address: addressFields,
  visitor: visitorFields,
  shorthands: [addressText],
  extent: pointExtent,
  cost: readCost(smallPdu),
  rules: visitorRules,
  open: async (settings, context) => {
    const line = await openLine(settings, context, context.lost);
    return new S7Connection(line, { line: context.line, clock: context.clock });
  },
});
