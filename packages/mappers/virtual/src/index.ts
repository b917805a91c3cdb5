import { defineMapper } from "@penstock/mapper-sdk";
import { AppError, valueTypes } from "@penstock/model";
import { VirtualConnection } from "./connection.ts";
import { addressFields, connectionFields, methodFields, visitorFields } from "./fields.ts";

export const virtual = defineMapper({
  name: "virtual",
  summary: "Plays devices without hardware: counters, waves, chance and places that hold what is written",
  version: "0.1.0",
  connection: connectionFields,
  address: addressFields,
  visitor: visitorFields,
  method: methodFields,
  rules: [
    {
      when: { field: "visitor.signal", in: ["constant", "counter", "sine", "sawtooth", "square", "random"] },
      types: valueTypes.filter((type) => type !== "bytes" && type !== "json"),
      because: "a signal is a number: only a held place can be bytes or json",
    },
    {
      when: { field: "method.act", in: ["set"] },
      require: ["method.name"],
      because: "a method that sets must say which place",
    },
  ],
  subscribes: true,
  permissions: [],
  open: async (connection, { clock, signal }) => {
    if (signal.aborted) throw new AppError("aborted", "Opening was called off");
    return new VirtualConnection({ ...connection, clock });
  },
});
