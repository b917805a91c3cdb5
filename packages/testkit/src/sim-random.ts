import type { Random } from "@penstock/runtime";

/**
 * Random numbers from a seed, the same on every machine. Not for secrets.
 *
 * @source D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2018: xoshiro128**; seeded by splitmix32
 */
export class SimRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let state = seed | 0;
    const next = () => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return (z ^ (z >>> 15)) | 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // All zero is the one state that xoshiro never leaves.
    this.#d = next() | 1;
  }

  /** 0 ≤ x < 2^32, whole */
  uint32(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotate(this.#d, 11);
    return result >>> 0;
  }

  /** 0 ≤ x < 1, all 53 bits */
  number(): number {
    return ((this.uint32() >>> 5) * 67_108_864 + (this.uint32() >>> 6)) / 9_007_199_254_740_992;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.uint32();
      for (let k = 0; k < 4 && i + k < length; k++) bytes[i + k] = word >>> (k * 8);
    }
    return bytes;
  }

  /** from ≤ x ≤ to, whole */
  between(from: number, to: number): number {
    return from + Math.floor(this.number() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.number() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new RangeError("Cannot pick from nothing");
    return item;
  }

  /** A stream of its own, so that one more number drawn here does not shift every number drawn there. */
  fork(): SimRandom {
    return new SimRandom(this.uint32());
  }
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}
