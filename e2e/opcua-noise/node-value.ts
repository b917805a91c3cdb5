/** What node `count<i>` holds in a run: nobody else's number. */
export function nodeValue(nonce: number, index: number): number {
  return (Math.imul(nonce + index * 7919, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
}
export const nodes = 40;
/** this one counts; the others hold */
export const counter = nodes;
export const timeoutMs = 300;
