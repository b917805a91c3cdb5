/** The four of KubeEdge's data converter, in the order in which they are written. */
export const operationPattern = "^(multiply|divide|add|subtract) -?[0-9]{1,15}(\\.[0-9]{1,15})?$";

/** value = (raw × n + m) ÷ d, whole numbers all, from the decimals that people wrote: so 3 × 0.1 is 0.3. */
export interface Line {
  readonly n: bigint;
  readonly m: bigint;
  readonly d: bigint;
}

/**
 * Puts operations together into one.
 *
 * @param operations each of `operationPattern`
 * @returns null when they divide or multiply by zero, so that there is no way back
 */
export function lineOf(operations: readonly string[]): Line | null {
  let line: Line = { n: 1n, m: 0n, d: 1n };
  for (const operation of operations) {
    const [word, number] = operation.split(" ") as [string, string];
    const [p, q] = fractionOf(number);
    const { n, m, d } = line;
    if (word === "add") line = { n: n * q, m: m * q + p * d, d: d * q };
    else if (word === "subtract") line = { n: n * q, m: m * q - p * d, d: d * q };
    else if (p === 0n) return null;
    else if (word === "multiply") line = { n: n * p, m: m * p, d: d * q };
    else line = { n: n * q, m: m * q, d: d * p };
  }
  const { n, m, d } = line;
  const shared = divisor(divisor(n, m), d) * (d < 0n ? -1n : 1n);
  return { n: n / shared, m: m / shared, d: d / shared };
}

/** @returns a whole number where the result is one, exact beyond 2^53 too, else the nearest float64 */
export function along({ n, m, d }: Line, raw: bigint): bigint | number {
  const top = raw * n + m;
  return top % d === 0n ? top / d : quotient(top, d);
}

export function alongFloat({ n, m, d }: Line, raw: number): number {
  return (raw * Number(n) + Number(m)) / Number(d);
}

/** The nearest raw value, halves upwards; null when the value is no number. */
export function back({ n, m, d }: Line, value: number | bigint): bigint | null {
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  const [p, q] = typeof value === "bigint" ? [value, 1n] : fractionOf(String(value));
  // (p/q × d − m) ÷ n
  const [top, bottom] = n < 0n ? [m * q - p * d, -n * q] : [p * d - m * q, n * q];
  return floorDivide(2n * top + bottom, 2n * bottom);
}

export function backFloat({ n, m, d }: Line, value: number): number {
  return (value * Number(d) - Number(m)) / Number(n);
}

function fractionOf(decimal: string): [bigint, bigint] {
  const [digits, exponent = "0"] = decimal.toLowerCase().split("e") as [string, string?];
  const [whole, part = ""] = digits.split(".") as [string, string?];
  const power = Number(exponent) - part.length;
  const p = BigInt(whole + part);
  return power >= 0 ? [p * 10n ** BigInt(power), 1n] : [p, 10n ** BigInt(-power)];
}

/** Both may be longer than a float64 holds: what is cut off of both is below its last digit. */
function quotient(top: bigint, bottom: bigint): number {
  const longest = Math.max(bits(top), bits(bottom));
  const cut = BigInt(Math.max(0, longest - 1000));
  return Number(top >> cut) / Number(bottom >> cut);
}

function bits(x: bigint): number {
  return (x < 0n ? -x : x).toString(2).length;
}

function floorDivide(top: bigint, bottom: bigint): bigint {
  const whole = top / bottom;
  return top % bottom !== 0n && top < 0n ? whole - 1n : whole;
}

function divisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : x;
}
