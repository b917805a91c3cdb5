import type { OpenContext } from "@penstock/mapper-sdk";
import { AppError } from "@penstock/model";
import { openSerial, type SerialSettings } from "../serial-port.ts";
import { MasterSession } from "./session.ts";
import type { Listener } from "./tcp-listener.ts";

export interface SerialListenerOptions {
  readonly serial: SerialSettings;
  readonly framing: "rtu" | "ascii";
  readonly answer: (unit: number, pdu: Uint8Array) => Uint8Array | null;
  readonly context: OpenContext;
}

/**
 * A slave, or several, on a serial bus that another master leads.
 *
 * @throws AppError mapper/connect-failed when there is no such port, or another program has it; aborted
 */
export async function listenSerial({ serial, framing, answer, context }: SerialListenerOptions): Promise<Listener> {
  const { clock, log, line, signal, lost } = context;
  const port = await openSerial(serial, { timeoutMs: line.connectTimeoutMs, clock, signal });
  const session = new MasterSession({ framing, clock, answer, send: (bytes) => port.write(bytes) });
  port.listen({
    data: (chunk) => session.push(chunk),
    ended: (why, cause) => {
      session.close();
      log.warn({ path: serial.path, why }, "The serial port has ended");
      lost(new AppError("mapper/connection-lost", `Cannot hear masters on "${serial.path}": ${why}`, { cause }));
    },
  });
  return {
    name: serial.path,
    close: () => {
      session.close();
      return port.close();
    },
  };
}
