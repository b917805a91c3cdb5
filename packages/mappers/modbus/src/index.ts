import { defineMapper, int, text } from "@penstock/mapper-sdk";
import { ModbusConnection } from "./connection.ts";
import { addressFields, visitorFields } from "./point.ts";
import { SharedLines } from "./shared-lines.ts";

const lines = new SharedLines();

export const modbus = defineMapper({
  name: "modbus",
  summary: "Reads and writes coils and registers of Modbus TCP devices",
  version: "0.1.0",
  connection: {
    host: text({ maxLength: 253, example: "10.0.4.12", summary: "Name or address of the device or gateway" }),
    port: int({ min: 1, max: 65535, default: 502 }),
    timeoutMs: int({ min: 10, max: 60_000, default: 1000, unit: "ms", summary: "How long one answer may take" }),
    connectTimeoutMs: int({ min: 10, max: 60_000, default: 3000, unit: "ms" }),
    maxInFlight: int({
      min: 1,
      max: 16,
      default: 1,
      summary: "Requests sent before the first is answered; the smallest of all Connections to one address counts",
    }),
    // On TCP a round trip costs more than the 250 bytes of a full request, so any gap that fits is read through.
    maxGap: int({ min: 0, max: 125, default: 125, summary: "Registers (16 bits each) read in vain to save a request" }),
  },
  address: addressFields,
  visitor: visitorFields,
  extent: {
    space: ["address.unitId", "visitor.table"],
    start: "visitor.offset",
    length: {
      field: "visitor.raw",
      sizes: { int32: 2, uint32: 2, float32: 2, int64: 4, uint64: 4, float64: 4 },
      otherwise: 1,
    },
  },
  open: async ({ host, port, timeoutMs, connectTimeoutMs, maxInFlight, maxGap }, context) => {
    const lease = await lines.acquire({ host, port, connectTimeoutMs, maxInFlight }, context);
    return new ModbusConnection(lease, { timeoutMs, maxGap, clock: context.clock });
  },
});
