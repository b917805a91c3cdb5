import { type OpenContext, openContext, readsInto, withDefaults } from "@penstock/mapper-sdk";
import { defaultLine } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { modbus } from "../../packages/mappers/modbus/src/index.ts";
import { registers, unitId } from "./register-table.ts";

/** Reads every register through the mapper, as mapper-host does, again and again. @returns values that came, all good */
export async function readMapper(options: {
  readonly port: number;
  readonly inFlight: number;
  /** true: one call for each tag, as a poller without a plan would ask */
  readonly isPerTag: boolean;
  readonly milliseconds: number;
}): Promise<number> {
  const context = benchContext(options);
  const given = { host: "127.0.0.1", port: options.port };
  const connection = await modbus.open(withDefaults(modbus.connection, given), context);
  if (!readsInto(connection)) throw new Error("The Modbus mapper reads into a sink");
  const points = Array.from({ length: registers }, (_, offset) => ({
    device: "bench",
    property: `r${offset}`,
    type: "uint16" as const,
    address: { unitId },
    visitor: withDefaults(modbus.visitor, { table: "holding", offset }),
    custom: {},
    deviceCustom: {},
  }));
  const groups = options.isPerTag ? points.map((point) => [point]) : [points];
  let values = 0;
  const sink = {
    at() {},
    good() {
      values++;
    },
    bad(row: number, reason: string) {
      throw new Error(`Register ${row} was not read: ${reason}`);
    },
  };
  const { signal } = context;
  const end = performance.now() + options.milliseconds;
  // As a gateway reads several devices on a line, so that the next questions are out while values are made.
  const readers = options.inFlight > 1 ? 2 : 1;
  const readOn = async () => {
    while (performance.now() < end) {
      for (const group of groups) {
        await connection.readInto(group, sink, { signal });
        if (options.isPerTag && performance.now() >= end) break;
      }
    }
  };
  await Promise.all(Array.from({ length: readers }, readOn));
  await connection.close();
  return values;
}

/** What mapper-host hands to a driver. */
export function benchContext(options: { readonly inFlight: number; readonly milliseconds: number }): OpenContext {
  return openContext({
    signal: AbortSignal.timeout(options.milliseconds + 60_000),
    clock: systemClock(),
    line: { ...defaultLine, inFlight: options.inFlight },
    lost: (error) => {
      throw error;
    },
  });
}
