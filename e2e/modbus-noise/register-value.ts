/** What register `address` of a unit holds in a run: nothing else gives the same word but by chance (1 in 65,536). */
export function registerValue(nonce: number, unit: number, address: number): number {
  let z = Math.imul(nonce ^ (unit << 16) ^ address, 0x9e3779b1);
  z = Math.imul(z ^ (z >>> 15), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) & 0xffff;
}

export const transports = ["tcp", "rtu", "rtu-over-tcp", "ascii"] as const;
export type NoisyTransport = (typeof transports)[number];

export const unitIds = [1, 2, 3, 4];
export const timeoutMs = 40;
