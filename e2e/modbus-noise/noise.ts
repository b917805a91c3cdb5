import type { Random } from "@penstock/runtime";
import type { Framing, ModbusFrame } from "../../packages/testkit/src/modbus-server/frame.ts";
import { timeoutMs } from "./register-value.ts";

/** What goes out instead of one good answer: bytes, and pauses in milliseconds. */
export interface Noise {
  readonly parts: readonly (Uint8Array | number)[];
  readonly closes?: boolean;
  /** an answer has stopped in its middle */
  readonly cuts?: boolean;
}

/**
 * One kind of trouble for an answer, chosen at random; often none. Every kind is one after which a right client has the
 * right value or none. Modbus TCP has no checksum, so no byte of a good frame is changed there, and what follows a cut one on
 * the same connection is a good one: nobody could tell that other bytes are not the rest of it.
 */
export function noiseFor(
  right: ModbusFrame,
  options: { readonly framing: Framing; readonly random: Random; readonly transport: string },
): Noise {
  const { framing, random, transport } = options;
  const upTo = (limit: number) => Math.floor(random.number() * limit);
  const garbage = () => random.bytes(1 + upTo(60));
  const frame = framing.encode(right);
  // Of a unit that nobody asks: where frames have no number, a stranger who names the unit asked cannot be found out.
  const unit = transport === "tcp" ? 1 + (right.unit % 4) : right.unit + 100;
  const other = (pdu: Uint8Array) => framing.encode({ ...right, unit, pdu });
  // Another value of the same shape, as a register elsewhere would give it.
  const wrong = right.pdu.map((byte, at) => (at < 2 ? byte : byte ^ (1 + upTo(255))));
  const late = timeoutMs * (1.2 + random.number() * 3);
  const kinds: (() => Noise)[] = [
    () => ({ parts: [other(wrong)] }), // of another unit
    () => ({ parts: [other(wrong), frame] }),
    () => ({ parts: [late, frame] }),
    () => ({ parts: [frame, frame] }),
    () => ({ parts: [frame.subarray(0, upTo(frame.length))], cuts: true }), // cut, and never more
    () => ({ parts: [frame.subarray(0, upTo(frame.length)), late, frame], cuts: true }),
    () => ({ parts: [frame.subarray(0, 3), upTo(20), frame.subarray(3)] }), // in pieces, and whole
    () => ({ parts: [] }),
    () => ({ parts: [framing.encode({ ...right, pdu: Uint8Array.of(right.pdu[0]! | 0x80, 6) })] }), // busy
    () => ({ parts: [framing.encode({ ...right, pdu: Uint8Array.of(4, 2, upTo(256), upTo(256)) })] }), // another function
    () => ({ parts: [framing.encode({ ...right, pdu: right.pdu.subarray(0, -1) })] }), // another length
    () => ({ parts: [garbage()] }),
  ];
  if (transport === "tcp") {
    // of a question that nobody waits for any more
    const transaction = (right.transaction - 5000 - upTo(1000)) & 0xffff;
    kinds.push(
      () => ({ parts: [framing.encode({ ...right, transaction, pdu: wrong })] }),
      () => ({ parts: [framing.encode({ ...right, transaction, pdu: wrong }), frame] }),
      () => ({ parts: [frame, late, frame] }),
    );
  } else {
    kinds.push(
      () => ({ parts: [garbage(), frame] }),
      () => ({ parts: [changed(frame, upTo(frame.length), 1 << upTo(8))] }), // a bit fell over
      () => ({ parts: [changed(frame, upTo(frame.length), 1 << upTo(8)), upTo(30), garbage()] }),
    );
  }
  if (transport.endsWith("tcp")) kinds.push(() => ({ parts: [], closes: true }));
  return random.number() < 0.6 ? { parts: [frame] } : kinds[upTo(kinds.length)]!();
}

function changed(frame: Uint8Array, at: number, mask: number): Uint8Array {
  const bytes = Uint8Array.from(frame);
  bytes[at]! ^= mask;
  return bytes;
}
