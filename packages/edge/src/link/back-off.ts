/** Waits between attempts to connect, with full jitter, so that a thousand gateways do not come back at once. Pure. */
export interface BackOff {
  readonly attempt: number;
}

export const noBackOff: BackOff = { attempt: 0 };
const firstMs = 500;
const longestMs = 30_000;
/** A session that lasted this long shows that the trouble is over. */
export const healthyMicros = 30_000_000;

/**
 * @param random 0 ≤ x < 1
 * @source https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("Full Jitter")
 */
export function nextDelay(state: BackOff, random: number): { readonly state: BackOff; readonly delayMs: number } {
  const ceiling = Math.min(longestMs, firstMs * 2 ** state.attempt);
  return { state: { attempt: Math.min(state.attempt + 1, 16) }, delayMs: Math.floor(random * ceiling) };
}

export function afterSession(state: BackOff, lastedMicros: number): BackOff {
  return lastedMicros >= healthyMicros ? noBackOff : state;
}
