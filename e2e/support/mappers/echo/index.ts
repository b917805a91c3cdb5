import { defineMapper, oneOf } from "@penstock/mapper-sdk";
import { stringifyExact } from "@penstock/model";

/** A protocol that Penstock never heard of: its devices report what people wrote into their `custom` blocks. */
export const echo = defineMapper({
  name: "echo",
  summary: "Reports the custom blocks of a device and of its properties",
  version: "1.0.0",
  main: "./index.ts",
  connection: {},
  address: {},
  visitor: { of: oneOf("device", "property") },
  permissions: [],
  open: async () => ({
    read: async (points) =>
      points.map(({ visitor, custom, deviceCustom }) => ({
        value: stringifyExact((visitor as { of: string }).of === "device" ? deviceCustom : custom),
      })),
    write: async () => {},
    close: async () => {},
  }),
});
