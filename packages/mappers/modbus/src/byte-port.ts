import type { Socket } from "node:net";
import type { AppError } from "@penstock/model";

/** Who hears of bytes, and of the end, which comes once and not after `close`. */
export interface PortHears {
  readonly data: (chunk: Uint8Array) => void;
  readonly ended: (why: string, cause?: unknown) => void;
  /** bytes came that say that what was written last did not stand on the wire as it was written, or that came after those */
  readonly spoilt?: (why: string) => void;
}

/** Bytes to and from a line, whatever they run over. */
export interface BytePort {
  listen(hears: PortHears): void;
  write(bytes: Uint8Array): void;
  /** resolves when it can be opened again */
  close(): Promise<void>;
}

/** How long things take on the line that the port leads to. */
export interface LineTiming {
  /** microseconds that one byte takes; 0 where that is not worth counting */
  readonly byteMicros: number;
  /** least silence between two frames, microseconds */
  readonly silenceMicros: number;
  /** Silence after which a frame that has no end will never have one; Infinity where bytes may take any time. */
  readonly cutMicros: number;
}

/** What lies behind a TCP connection has its own timing, and keeps to it by itself. */
export const networkTiming: LineTiming = { byteMicros: 0, silenceMicros: 0, cutMicros: Number.POSITIVE_INFINITY };

/**
 * A character of RTU or ASCII: start bit, data, parity, stop bits. 3.5 of them are the silence between frames, above
 * 19200 baud 1.75 ms. Adapters hand on bytes in lumps up to 16 ms apart, so that a pause within a frame (t1.5) says nothing
 * about the sender here: only one that no adapter makes ends a frame.
 *
 * @source Modbus over Serial Line V1.02, 2.5.1.1
 */
export function serialTiming(serial: {
  readonly baud: number;
  readonly dataBits: number;
  readonly parity: string;
  readonly stopBits: number;
}): LineTiming {
  const bits = 1 + serial.dataBits + (serial.parity === "none" ? 0 : 1) + serial.stopBits;
  const byteMicros = (bits * 1_000_000) / serial.baud;
  const silenceMicros = serial.baud > 19_200 ? 1750 : 3.5 * byteMicros;
  return { byteMicros, silenceMicros, cutMicros: Math.max(100_000, 4 * silenceMicros) };
}

export function socketPort(socket: Socket): BytePort {
  // A question is one small packet: waiting for more to send with it would cost its round trip.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 10_000);
  const gate = endGate();
  return {
    listen({ data, ended }) {
      const end = gate.once(ended);
      socket.on("data", data);
      socket.on("error", (cause) => end(cause.message, cause));
      socket.on("close", () => end("the device closed it"));
    },
    write: (bytes) => socket.write(bytes),
    close() {
      gate.shut();
      socket.destroy();
      return Promise.resolve();
    },
  };
}

/** Lets the first end through that a port tells of, since it may tell of one in several ways, and none after its own closing. */
export function endGate() {
  let isOver = false;
  return {
    once:
      (ended: PortHears["ended"]): PortHears["ended"] =>
      (why, cause) => {
        if (isOver) return;
        isOver = true;
        ended(why, cause);
      },
    shut() {
      isOver = true;
    },
  };
}

/** what a line of any kind throws */
export type LineErrorCode = Extract<
  AppError["code"],
  "mapper/timeout" | "mapper/bad-answer" | "mapper/device-busy" | "mapper/connection-lost" | "mapper/unsupported"
>;
