import { readsInto, withDefaults } from "@penstock/mapper-sdk";
import { ModbusServer } from "@penstock/testkit";
import { modbus } from "../../packages/mappers/modbus/src/index.ts";
import { type MapKind, type RegisterMap, registerMap } from "./maps.ts";
import { openContext } from "./read-mapper.ts";
import { registersEachRequest } from "./register-table.ts";

/** Cycles in which the mapper learns what a device refuses; the next is counted. */
const learning = 8;

/** Requests of one cycle over maps of twelve ranges, counted by the server, beside the least of all plans. */
export async function countRequests(kind: MapKind, maps: number): Promise<{ counted: number; least: number }> {
  const all = Array.from({ length: maps }, (_, number) => registerMap(kind, number));
  const units = new Map(all.map(({ unit }, i) => [i + 1, unit]));
  const server = await ModbusServer.listen({ units });
  const context = openContext({ inFlight: 1, milliseconds: 60_000 });
  const settings = { host: server.host, port: server.port };
  const connection = await modbus.open(withDefaults(modbus.connection, settings), context);
  if (!readsInto(connection)) throw new Error("The Modbus mapper reads into a sink");
  const groups = all.map(({ ranges }, i) =>
    ranges.map(({ start, length }) => ({
      ...{ device: "bench", property: `r${start}`, type: "bytes" as const, custom: {}, deviceCustom: {} },
      address: { unitId: i + 1 },
      visitor: withDefaults(modbus.visitor, { table: "holding", offset: start, raw: "bytes", length }),
    })),
  );
  const sink = {
    at() {},
    good() {},
    bad(row: number, reason: string) {
      throw new Error(`Range ${row} was not read: ${reason}`);
    },
  };
  let before = 0;
  for (let cycle = 0; cycle <= learning; cycle++) {
    before = server.stats.requests;
    for (const group of groups) await connection.readInto(group, sink, { signal: context.signal });
  }
  const counted = server.stats.requests - before;
  await connection.close();
  await server.close();
  return { counted, least: all.reduce((sum, map) => sum + fewestRequests(map), 0) };
}

/** Tries every cutting of the ranges into runs: 2^11 of them. */
function fewestRequests({ ranges, cuts }: RegisterMap): number {
  let fewest = ranges.length;
  for (let ends = 0; ends < 2 ** (ranges.length - 1); ends++) {
    let requests = 1;
    let { start } = ranges[0]!;
    let isAllowed = true;
    ranges.forEach((range, i) => {
      if (i > 0 && (ends >> (i - 1)) % 2 === 1) {
        requests++;
        start = range.start;
      }
      const end = range.start + range.length;
      if (end - start > registersEachRequest || cuts.some((cut) => start < cut && cut < end)) isAllowed = false;
    });
    if (isAllowed) fewest = Math.min(fewest, requests);
  }
  return fewest;
}
