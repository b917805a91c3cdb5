/** @source OPC UA 1.04 Part 8, 6.3.2 names the same three severities; the numbers are ours */
export const qualities = ["good", "uncertain", "bad"] as const;
export type Quality = (typeof qualities)[number];

/** Flag byte of one reading in a batch: bits 0..1 quality, bit 2 set when the value is null. */
export const flagGood = 0;
export const flagUncertain = 1;
export const flagBad = 2;
export const flagNull = 4;
export const qualityMask = 3;

export function qualityOf(flag: number): Quality {
  return qualities[flag & qualityMask] ?? "bad";
}
