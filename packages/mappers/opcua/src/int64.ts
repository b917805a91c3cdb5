/** The library's form of a 64-bit integer: high and low half, each unsigned. */
export type HighLow = readonly [high: number, low: number];

export function bigintOf([high, low]: HighLow, isSigned: boolean): bigint {
  const whole = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return isSigned ? BigInt.asIntN(64, whole) : whole;
}

export function highLowOf(value: bigint): [number, number] {
  const whole = BigInt.asUintN(64, value);
  return [Number(whole >> 32n), Number(whole & 0xffff_ffffn)];
}
