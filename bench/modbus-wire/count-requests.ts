import { readsInto, withDefaults } from "@penstock/mapper-sdk";
import { ModbusSerialServer, ModbusServer, openPtyPair } from "@penstock/testkit";
import { modbus } from "../../packages/mappers/modbus/src/index.ts";
import { leastCost } from "./least-cost.ts";
import { type MapKind, type RegisterMap, registerMap } from "./maps.ts";
import { benchContext } from "./read-mapper.ts";
import { pace } from "./slave-lines.ts";

/** Cycles in which the mapper learns what a device refuses; the next is counted. */
const learning = 8;

/** Requests of one cycle over maps of twelve ranges, counted by the server, beside the least of all plans. */
export async function countRequests(kind: MapKind, maps: number): Promise<{ counted: number; least: number }> {
  const all = mapsOf(kind, maps);
  const server = await ModbusServer.listen({ units: unitsOf(all) });
  try {
    const counted = await lastCycle(all, { host: server.host, port: server.port }, () => server.stats.requests);
    return { counted, least: all.reduce((sum, map) => sum + leastCost(map, () => 1), 0) };
  } finally {
    await server.close();
  }
}

/**
 * Milliseconds that the requests of one cycle take of a serial line: bytes both ways, the silence before a frame, and what
 * a unit thinks. Beside the least of all plans; needs socat.
 */
export async function measureLineTime(kind: MapKind, maps: number): Promise<{ counted: number; least: number }> {
  const all = mapsOf(kind, maps);
  const pair = await openPtyPair();
  const bus = new ModbusSerialServer({ path: pair.a, units: unitsOf(all), pace });
  const byteMs = (pace.bitsPerCharacter * 1000) / pace.baud;
  // Modbus over Serial Line V1.02, 2.5.1.1: 3.5 characters between two frames
  const eachMs = pace.turnaroundMs + 2 * 3.5 * byteMs;
  // unit, function, start, count, CRC; unit, function, byte count, two bytes a register, CRC
  const costOf = (registers: number) => eachMs + (8 + 5 + 2 * registers) * byteMs;
  try {
    const settings = { transport: "rtu", path: pair.b, baud: pace.baud, parity: "none", stopBits: 2 };
    const spentMs = () => bus.wire!.busyMicros / 1000 + bus.stats.requests * eachMs;
    const counted = await lastCycle(all, settings, spentMs);
    return { counted, least: all.reduce((sum, map) => sum + leastCost(map, costOf), 0) };
  } finally {
    await bus.close();
    await pair.close();
  }
}

function mapsOf(kind: MapKind, maps: number): RegisterMap[] {
  return Array.from({ length: maps }, (_, number) => registerMap(kind, number));
}

function unitsOf(maps: readonly RegisterMap[]): Map<number, RegisterMap["unit"]> {
  return new Map(maps.map(({ unit }, i) => [i + 1, unit]));
}

/** Reads all maps until nothing more is learned. @returns by how much `count` rose in one cycle more */
async function lastCycle(
  all: readonly RegisterMap[],
  settings: Readonly<Record<string, unknown>>,
  count: () => number,
): Promise<number> {
  const context = benchContext({ inFlight: 1, milliseconds: 120_000 });
  const connection = await modbus.open(withDefaults(modbus.connection, settings), context);
  if (!readsInto(connection)) throw new Error("The Modbus mapper reads into a sink");
  const groups = all.map(({ ranges }, i) =>
    ranges.map(({ start, length }) => ({
      ...{ device: "bench", property: `r${start}`, type: "bytes" as const, custom: {}, deviceCustom: {} },
      address: { unitId: i + 1 },
      visitor: withDefaults(modbus.visitor, { table: "holding", offset: start, raw: "bytes", length }),
    })),
  );
  const problems: string[] = [];
  const sink = { at() {}, good() {}, bad: (_row: number, reason: string) => problems.push(reason) };
  try {
    // Where the machine itself makes a slave stutter, a cycle is broken off by a bad answer and says nothing.
    for (let cycle = 0; cycle < learning + 10; cycle++) {
      const before = count();
      problems.length = 0;
      for (const group of groups) await connection.readInto(group, sink, { signal: context.signal });
      if (cycle >= learning && problems.length === 0) return count() - before;
    }
    throw new Error(`Ranges were not read: ${problems.join(", ")}`);
  } finally {
    await connection.close();
  }
}
