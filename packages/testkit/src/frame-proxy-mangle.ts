import { decodeFrame, encodeFrame, type Frame } from "@penstock/wire";
import { type RawFrame, rawFrame } from "./frame-proxy-split.ts";
import type { SimRandom } from "./sim-random.ts";

export type Mangling = "pass" | "duplicate" | "reorder";

/**
 * One direction of one connection. `duplicate` repeats frames bit by bit, as a replay does, and whole messages under
 * frame numbers of their own, as a sender does that is in doubt; `reorder` lets the next frame go first. The first message
 * of a direction is the handshake, which a TLS connection cannot repeat, and stays as it is.
 */
export class Mangler {
  /** frames or messages that were repeated or overtaken */
  mangled = 0;
  readonly #random: SimRandom;
  readonly #chance: number;
  readonly #isMasked: boolean;
  /** by lane: how many frames were put in, so that what follows is numbered on */
  readonly #added = new Map<number, number>();
  /** by lane: frames of the message under way, as they were sent */
  readonly #parts = new Map<number, Frame[]>();
  #held: Uint8Array | null = null;
  #isHandshakeOver = false;

  constructor(options: { readonly random: SimRandom; readonly chance: number; readonly isMasked: boolean }) {
    this.#random = options.random;
    this.#chance = options.chance;
    this.#isMasked = options.isMasked;
  }

  /** @returns what goes over the line now */
  push(raw: RawFrame, how: Mangling): Uint8Array[] {
    if (raw.message === null) return [...this.release(), raw.bytes];
    const sent = decodeFrame(raw.message);
    const added = this.#added.get(sent.lane) ?? 0;
    const frame = added === 0 ? sent : { ...sent, n: sent.n + added };
    const bytes = added === 0 ? raw.bytes : this.#raw(frame);
    const parts = this.#parts.get(frame.lane) ?? [];
    parts.push(frame);
    this.#parts.set(frame.lane, frame.more ? parts : []);
    const mayMangle = this.#isHandshakeOver;
    if (!frame.more) this.#isHandshakeOver = true;
    if (how === "pass" || !mayMangle || !this.#random.chance(this.#chance)) return [bytes, ...this.release()];
    if (how === "reorder") {
      if (this.#held !== null) return [bytes, ...this.release()];
      this.mangled++;
      this.#held = bytes;
      return [];
    }
    this.mangled++;
    if (frame.more || this.#random.chance(0.3)) return [bytes, bytes];
    this.#added.set(frame.lane, added + parts.length);
    return [bytes, ...parts.map((part) => this.#raw({ ...part, n: part.n + parts.length }))];
  }

  /** @returns the frame that waits to be overtaken, if any: a quiet line must not keep it */
  release(): Uint8Array[] {
    const held = this.#held;
    this.#held = null;
    return held === null ? [] : [held];
  }

  #raw(frame: Frame): Uint8Array {
    return rawFrame(encodeFrame(frame), this.#isMasked);
  }
}
