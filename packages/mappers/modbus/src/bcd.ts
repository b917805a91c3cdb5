/** Binary-coded decimals: a digit in each four bits, highest first. */

/** @returns null when a digit is above 9 */
export function fromBcd(packed: number): number | null {
  let value = 0;
  for (let shift = 28; shift >= 0; shift -= 4) {
    const digit = (packed >>> shift) & 15;
    if (digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}

/** @param value a whole number of at most eight digits */
export function toBcd(value: number): number {
  return Number.parseInt(String(value), 16);
}
