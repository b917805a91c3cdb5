/** What a place shows as long as nobody writes it. */
export const signals = ["constant", "counter", "sine", "sawtooth", "square", "random", "held"] as const;
export type Signal = (typeof signals)[number];

export interface Shape {
  readonly signal: Signal;
  readonly start: number;
  readonly step: number;
  readonly amplitude: number;
  readonly periodMs: number;
}

/** Whole periods since the signal began. */
export function periodsOf(shape: Pick<Shape, "periodMs">, elapsedMicros: number): number {
  return Math.floor(elapsedMicros / (shape.periodMs * 1000));
}

/**
 * The signal at a time, from nothing but its shape.
 *
 * @param elapsedMicros since the signal began
 * @param noise 0..1 for the nth period, the same each time it is asked
 */
export function signalAt(shape: Shape, elapsedMicros: number, noise: (period: number) => number): number {
  const { signal, start, step, amplitude } = shape;
  const periods = periodsOf(shape, elapsedMicros);
  const phase = elapsedMicros / (shape.periodMs * 1000) - periods;
  switch (signal) {
    case "constant":
    case "held":
      return start;
    case "counter":
      return start + step * periods;
    case "sine":
      return start + amplitude * Math.sin(2 * Math.PI * phase);
    case "sawtooth":
      return start + amplitude * phase;
    case "square":
      return phase < 0.5 ? start : start + amplitude;
    case "random":
      return start + amplitude * (2 * noise(periods) - 1);
  }
}

/** 0..1, spread evenly, the same for the same words. Not for secrets. */
export function noiseOf(seed: number, key: string, n: number): number {
  // FNV-1a over the key, then MurmurHash3's finalizer, so that neighbouring numbers give unlike results
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ n, 0x01000193) ^ Math.floor(n / 2 ** 32);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
