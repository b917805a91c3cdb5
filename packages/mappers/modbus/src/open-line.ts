import { dial, type OpenContext } from "@penstock/mapper-sdk";
import { AppError, type FieldError, invalid } from "@penstock/model";
import { networkTiming, serialTiming, socketPort } from "./byte-port.ts";
import { FramedLine } from "./framed-line.ts";
import { asciiFraming, rtuFraming } from "./framing.ts";
import type { Line, LineEnded } from "./line.ts";
import type { OwedAnswers } from "./owed-answers.ts";
import { openSerial, type SerialSettings } from "./serial-port.ts";
import { TcpLine } from "./tcp-line.ts";

export const transports = ["tcp", "rtu", "ascii", "rtu-over-tcp"] as const;
export type Transport = (typeof transports)[number];

/** Where a line leads. Two that are equal share one line. */
export type LinePlace =
  | { readonly transport: "tcp" | "rtu-over-tcp"; readonly host: string; readonly port: number }
  | { readonly transport: "rtu" | "ascii"; readonly serial: SerialSettings };

/** What of a Connection's settings says where it leads. */
export interface PlaceSettings {
  readonly transport: Transport;
  readonly host: string | undefined;
  readonly port: number;
  readonly path: string | undefined;
  readonly baud: number;
  readonly dataBits: number | undefined;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: number;
  readonly localEcho: boolean;
}

/** @throws AppError input/invalid, where the manifest's rules were not asked before */
export function placeOf(settings: PlaceSettings): LinePlace {
  const { transport, host, port, path, baud, parity, localEcho } = settings;
  if (transport === "tcp" || transport === "rtu-over-tcp") {
    if (host === undefined) throw invalid([missing("connection.host")]);
    return { transport, host: host.toLowerCase(), port };
  }
  if (path === undefined) throw invalid([missing("connection.path")]);
  // Modbus over Serial Line V1.02, 2.5.1 and 2.5.2: eight bits of data in RTU, seven in ASCII
  const dataBits = settings.dataBits ?? (transport === "rtu" ? 8 : 7);
  if (transport === "rtu" && dataBits !== 8) {
    throw invalid([{ field: "connection.dataBits", value: `${dataBits}`, rule: "must be 8 with transport rtu" }]);
  }
  const stopBits = settings.stopBits === 2 ? 2 : 1;
  return { transport, serial: { path, baud, dataBits: dataBits === 7 ? 7 : 8, parity, stopBits, localEcho } };
}

function missing(field: string): FieldError {
  return { field, value: "missing", rule: "is required" };
}

/** As people know it: "10.0.4.12:502" or "/dev/ttyUSB0". One place has one name, whatever is spoken there. */
export function nameOf(place: LinePlace): string {
  return "serial" in place ? place.serial.path : `${place.host}:${place.port}`;
}

/** @throws AppError mapper/connect-failed; aborted when the signal is */
export async function openLine(
  place: LinePlace,
  context: Pick<OpenContext, "clock" | "log" | "line" | "signal"> & {
    readonly owed: OwedAnswers;
    readonly onEnd: LineEnded;
  },
): Promise<Line> {
  const { clock, log, line, signal, owed, onEnd } = context;
  const timeoutMs = line.connectTimeoutMs;
  const name = nameOf(place);
  if ("serial" in place) {
    const port = await openSerial(place.serial, { timeoutMs, clock, signal });
    const framing = place.transport === "rtu" ? rtuFraming() : asciiFraming();
    const timing = serialTiming(place.serial);
    return new FramedLine({ name, port, framing, timing, clock, log, owed, isNetwork: false }, onEnd);
  }
  const { host, port } = place;
  const socket = await dial({ host, port, timeoutMs, clock, signal });
  if (place.transport === "tcp") return new TcpLine(socket, { host, port, clock, log }, onEnd);
  const common = { framing: rtuFraming(), timing: networkTiming, clock, log, owed, isNetwork: true };
  return new FramedLine({ name, port: socketPort(socket), ...common }, onEnd);
}

/** @throws AppError mapper/connect-failed when the place is used with other settings already */
export function assertSame(known: LinePlace, wanted: LinePlace): void {
  if (JSON.stringify(known) === JSON.stringify(wanted)) return;
  throw new AppError(
    "mapper/connect-failed",
    `Cannot use "${nameOf(wanted)}" as ${shown(wanted)}: another Connection uses it as ${shown(known)}`,
  );
}

function shown(place: LinePlace): string {
  if (!("serial" in place)) return place.transport;
  const { baud, dataBits, parity, stopBits, localEcho } = place.serial;
  const echo = localEcho ? " with local echo" : "";
  return `${place.transport} ${baud} ${dataBits}${parity[0]!.toUpperCase()}${stopBits}${echo}`;
}
