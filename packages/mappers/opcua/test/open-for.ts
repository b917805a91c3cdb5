import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Browses,
  type Calls,
  type DriverClock,
  type MapperConnection,
  type OpenContext,
  openContext,
  type Point,
  type Subscribes,
  type WritesAll,
  withDefaults,
} from "@penstock/mapper-sdk";
import { defaultLine, type ValueType } from "@penstock/model";
import type { Address, Method, Visitor } from "../src/fields.ts";
import { opcua } from "../src/index.ts";
import { plantUri } from "./plant-server.ts";

export type Opened = MapperConnection<Address, Visitor> &
  Subscribes<Address, Visitor> &
  WritesAll<Address, Visitor> &
  Calls<Address, Method> &
  Browses;

/** The machine's: the library under test counts time by it as well. */
export const realClock: DriverClock = {
  monotonic: () => performance.now() * 1000,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** An open connection with its own folder, and what it tells. */
export async function openFor(
  url: string,
  settings: Readonly<Record<string, unknown>> = {},
  context: Partial<OpenContext> = {},
) {
  const folder = context.folder ?? (await mkdtemp(join(tmpdir(), "penstock-opcua-")));
  const lost: string[] = [];
  const line = { ...defaultLine, timeoutMs: 5000, connectTimeoutMs: 15_000 };
  const removed = () => (context.folder === undefined ? rm(folder, { recursive: true, force: true }) : undefined);
  try {
    const connection = (await opcua.open(
      withDefaults(opcua.connection, { url, ...settings }),
      openContext({ clock: realClock, line, folder, lost: (error) => lost.push(error.code), ...context }),
    )) as Opened;
    return {
      ...{ connection, folder, lost, fields: opcua },
      close: async () => {
        await connection.close();
        await removed();
      },
    };
  } catch (error) {
    await removed();
    throw error;
  }
}

export function point(
  name: string,
  type: ValueType,
  visitor: Readonly<Record<string, unknown>> = {},
  prefix = `nsu=${plantUri};s=`,
): Point<Address, Visitor> {
  return {
    ...{ device: "d", property: name, type, address: {} as Address, custom: {}, deviceCustom: {} },
    visitor: withDefaults(opcua.visitor, { nodeId: `${prefix}${name}`, ...visitor }),
  };
}
