/** The fast random numbers of `plantSignals`. @source G. Marsaglia, "Xorshift RNGs", 2003: the 32-bit triple 13, 17, 5 */
export class SignalNoise {
  #state: number;

  constructor(seed: number) {
    // Zero is the one state that xorshift never leaves; the multiplication parts neighbouring seeds.
    this.#state = Math.imul(seed ^ 0x5bf03635, 0x9e3779b1) | 1;
    for (let i = 0; i < 8; i++) this.uint32();
  }

  uint32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** 0 ≤ x < bound, whole; bound below 2^16 */
  below(bound: number): number {
    return Math.floor((this.uint32() / 4_294_967_296) * bound);
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 4_294_967_296;
  }

  /** near to normal, mean 0, deviation 1: the sum of four 16-bit uniforms of two draws, scaled */
  normal(): number {
    const a = this.uint32();
    const b = this.uint32();
    const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
    // Four uniforms of [0, 1): mean 2, variance 4/12.
    return (sum / 65_536 - 2) * 1.7320508;
  }
}
