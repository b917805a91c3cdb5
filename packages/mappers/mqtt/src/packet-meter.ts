/**
 * Counts the bytes of MQTT packets as they come in, so that one beyond the limit ends the connection before it is gathered
 * in memory. The client library takes packets of up to 256 MiB.
 *
 * @source MQTT 5.0, 2.1: one byte of type, then the remaining length in one to four bytes of seven bits
 */
export class PacketMeter {
  readonly #most: number;
  /** bytes of the packet's body that are still to come */
  #left = 0;
  /** of the fixed header: -1 before its first byte, then the bytes of length so far */
  #lengthBytes = -1;
  #length = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** @returns false when a packet is longer than it may be, or its length is none */
  take(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at++]!;
      if (this.#lengthBytes < 0) {
        this.#lengthBytes = 0;
        this.#length = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
      this.#lengthBytes++;
      if (this.#length > this.#most || (byte >= 0x80 && this.#lengthBytes === 4)) return false;
      if (byte < 0x80) {
        this.#left = this.#length;
        this.#lengthBytes = -1;
      }
    }
    return true;
  }
}
