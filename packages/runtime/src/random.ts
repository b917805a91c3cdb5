import { randomFillSync } from "node:crypto";

export interface Random {
  bytes(length: number): Uint8Array;
  /** 0 ≤ x < 1 */
  number(): number;
}

export const systemRandom: Random = {
  bytes: (length) => randomFillSync(new Uint8Array(length)),
  number: () => Math.random(),
};
