/** What stands at each byte of the noisy PLC's data block, so that every value can be told from a wrong one. */
export const blockBytes = 4000;
export const timeoutMs = 60;

export function placeValue(nonce: number, offset: number): number {
  return (Math.imul(offset + 1, 2654435761) ^ Math.imul(nonce, 40503)) >>> 24;
}
