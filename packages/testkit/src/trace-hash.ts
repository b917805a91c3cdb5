/** A running 64-bit fingerprint of a trace: equal traces give equal text, in order. Not for safety. */
export class TraceHash {
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;

  /** whole numbers up to 2^53 */
  number(value: number): void {
    this.#word(value | 0);
    this.#word(Math.floor(value / 2 ** 32) | 0);
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i));
    this.#word(text.length);
  }

  bytes(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#word(bytes[i]!);
    this.#word(bytes.length);
  }

  digest(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  /** Two lanes of multiply-and-rotate with different odd constants (FNV-1a's prime and MurmurHash3's c1). */
  #word(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#high ^= this.#high >>> 15;
    this.#low = Math.imul(((this.#low ^ word) << 13) | ((this.#low ^ word) >>> 19), 0xcc9e2d51);
  }
}
