/** The slaves of all lines, in a process of their own, which also counts what it is asked and when. */
import {
  type MemoryUnit,
  ModbusSerialServer,
  ModbusServer,
  openPtyPair,
  type ModbusSerialServer as SerialServer,
  SparseUnit,
  withHoles,
} from "@penstock/testkit";
import { serveBench } from "../line/forked.ts";
import { type LineFigures, LineWatch } from "./line-watch.ts";
import {
  type LineTransport,
  missingPercent,
  mortal,
  nameOfLine,
  pace,
  registersOfSlave,
  type SlaveLine,
  slaveLines,
  slaves,
} from "./slave-lines.ts";

export type SlavesAsk = { readonly t: "open"; readonly transport: LineTransport } | { readonly t: "die" | "figures" };
export interface SlavesAnswer {
  /** settings of the Connection to each line that was opened, by its name */
  readonly settings: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  /** since "die", by name */
  readonly figures: Readonly<Record<string, LineFigures>>;
}

const watches = new Map<string, LineWatch>();
const settings: Record<string, Readonly<Record<string, string | number>>> = {};
const closers: (() => Promise<void>)[] = [];

async function open(line: SlaveLine): Promise<void> {
  const name = nameOfLine(line);
  const watch = new LineWatch();
  watches.set(name, watch);
  const units = new Map(slaves.map((id) => [id, unitOf(id)]));
  const hook = ({ unit }: { readonly unit: number }) => (watch.asked(unit) ? ({ kind: "drop" } as const) : null);
  if (line.transport === "tcp") {
    const server = await ModbusServer.listen({ units, hook });
    closers.push(() => server.close());
    settings[name] = { host: server.host, port: server.port };
    return;
  }
  const pair = await openPtyPair();
  const bus: SerialServer = new ModbusSerialServer({ path: pair.a, units, hook, pace });
  closers.push(async () => {
    await bus.close();
    await pair.close();
  });
  settings[name] = { transport: "rtu", path: pair.b, baud: pace.baud, parity: "none", stopBits: 2 };
}

function unitOf(id: number): MemoryUnit {
  const unit = new SparseUnit({ holding: registersOfSlave }, withHoles(missingPercent, id));
  for (let at = 0; at < registersOfSlave; at++) unit.holding[at] = id * 100 + at;
  return unit;
}

serveBench<SlavesAsk, SlavesAnswer>(
  async (ask) => {
    if (ask.t === "open") for (const line of slaveLines) if (line.transport === ask.transport) await open(line);
    if (ask.t === "die") {
      for (const [name, watch] of watches) watch.begin(name.endsWith("some-dead") ? mortal : new Set());
    }
    return { settings, figures: Object.fromEntries([...watches].map(([name, watch]) => [name, watch.figures()])) };
  },
  async () => {
    for (const close of closers) await close();
  },
);
