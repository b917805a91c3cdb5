import { defineMapper, int, text } from "@penstock/mapper-sdk";
import { DeviceConnection } from "./connection.ts";

/** Where a device stands, which of several it is, and where in it a value lies: forms, checks and help follow from this. */
export const mapper = defineMapper({
  name: "new-mapper",
  summary: "Reads and writes the numbered registers of devices that speak in lines of text",
  version: "1.0.0",
  connection: {
    host: text({ example: "10.0.4.12", summary: "Host name or address of the device" }),
    port: int({ min: 1, max: 65535, default: 4001 }),
  },
  address: { unit: int({ min: 1, max: 99, default: 1, summary: "Number of the device behind this address" }) },
  visitor: { register: int({ min: 1, max: 999, summary: "Number of the register, as the manual lists it" }) },
  permissions: ["network"],
  open: (settings, context) => DeviceConnection.open(settings, context),
});
