import { join } from "node:path";
import { type ConformanceDevice, conformance, type DeviceManner } from "@penstock/mapper-sdk";
import { notApplicable } from "../test/not-applicable.ts";
import { virtual } from "./index.ts";

/** There is no device: how it behaves is a setting of the connection, and a question is asked as soon as it is made. */
class VirtualDevice implements ConformanceDevice<VirtualDevice> {
  manner: DeviceManner = "silent";
  readonly questions = 0;
  readonly connections = 0;

  get settings(): Readonly<Record<string, number>> {
    if (this.manner === "silent") return { delayMs: 60_000 };
    return this.manner === "refuses" ? { failRate: 1 } : {};
  }

  async asked(): Promise<void> {}
  async close(): Promise<void> {}
  async listen(): Promise<VirtualDevice> {
    return this;
  }
}

await conformance(virtual, {
  folder: join(import.meta.dirname, ".."),
  connection: ({ settings }) => settings,
  address: {},
  point: { type: "float64", visitor: { signal: "constant", start: 21.5 }, value: 21.5 },
  writable: { type: "int16", visitor: {}, value: 5, unfit: 40_000 },
  refusal: { code: "mapper/device-failure" },
  device: () => new VirtualDevice(),
  notApplicable,
});
