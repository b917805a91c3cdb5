import { RowError } from "../../value/row-error.ts";

const greatest = 2n ** 63n - 1n;

/** What Go makes of a float that it turns into an integer of 64 bits: cut towards zero, the least where it does not fit. */
export function goInteger(x: number): bigint {
  return x >= -(2 ** 63) && x < 2 ** 63 ? BigInt(Math.trunc(x)) : -(2n ** 63n);
}

/** @throws RowError for what does not fit 64 bits */
export function fitting(name: string, x: bigint): bigint {
  if (x >= -greatest - 1n && x <= greatest) return x;
  throw new RowError(`Cannot call ${name}: the result ${x} does not fit 64 bits`);
}
