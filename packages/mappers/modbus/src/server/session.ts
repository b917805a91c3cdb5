import type { DriverClock } from "@penstock/mapper-sdk";
import { AsciiReader, encodeAscii } from "../ascii-frame.ts";
import { encodeMbap, MbapReader } from "../mbap.ts";
import { encodeRtu, RtuReader, requestLength } from "../rtu-frame.ts";

export type Framing = "tcp" | "rtu" | "ascii";

export interface SessionOptions {
  readonly framing: Framing;
  readonly clock: DriverClock;
  /** null: nobody of that unit id answers */
  readonly answer: (unit: number, pdu: Uint8Array) => Uint8Array | null;
  readonly send: (bytes: Uint8Array) => void;
}

/** Longer than any pause within a frame at 1200 baud (3.5 characters are 32 ms), shorter than any master's patience. */
const silenceMs = 50;

/** One master: bytes in, answers out, one after the other. */
export class MasterSession {
  /** since it began */
  requests = 0;
  readonly push: (chunk: Uint8Array) => void;
  #stopSilence: () => void = () => {};

  constructor({ framing, clock, answer, send }: SessionOptions) {
    const serve = (unit: number, pdu: Uint8Array, encode: (pdu: Uint8Array) => Uint8Array) => {
      this.requests++;
      const answered = answer(unit, pdu);
      if (answered !== null) send(encode(answered));
    };
    switch (framing) {
      case "tcp": {
        const reader = new MbapReader();
        this.push = (chunk) =>
          reader.push(chunk, (transaction, unit, pdu) =>
            serve(unit, pdu, (answered) => encodeMbap({ transaction, unit, pdu: answered })),
          );
        break;
      }
      case "rtu": {
        const reader = new RtuReader(requestLength);
        const take = (unit: number, pdu: Uint8Array) =>
          serve(unit, pdu, (answered) => encodeRtu({ unit, pdu: answered }));
        this.push = (chunk) => {
          this.#stopSilence();
          reader.push(chunk, take);
          if (reader.held > 0) this.#stopSilence = clock.after(silenceMs, () => reader.silence(take));
        };
        break;
      }
      case "ascii": {
        const reader = new AsciiReader();
        const take = (unit: number, pdu: Uint8Array) =>
          serve(unit, pdu, (answered) => encodeAscii({ unit, pdu: answered }));
        this.push = (chunk) => reader.push(chunk, take);
      }
    }
  }

  close(): void {
    this.#stopSilence();
  }
}
