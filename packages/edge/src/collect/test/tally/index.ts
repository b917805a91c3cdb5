import { defineMapper, text } from "@penstock/mapper-sdk";
import { AppError, type Value } from "@penstock/model";

/** A mapper without a device, for a test with real processes: `pid` tells which process answers, the rest remembers. */
export const tally = defineMapper({
  name: "tally",
  summary: "Remembers what was written",
  version: "1.0.0",
  main: "./index.ts",
  connection: {},
  address: {},
  visitor: { of: text() },
  permissions: [],
  open: async () => {
    const held = new Map<string, Value>();
    return {
      read: async (points) =>
        points.map(({ visitor: { of } }) => ({ value: of === "pid" ? process.pid : (held.get(of) ?? 0) })),
      write: async ({ visitor: { of } }, value) => {
        if (of === "pid") throw new AppError("mapper/value-refused", "Cannot write the pid: it is given");
        held.set(of, value);
      },
      close: async () => {},
    };
  },
});
