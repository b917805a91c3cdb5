/** Whether bodies are deflated: only on a line that has been both full and slow for a while. Pure. */
export interface Compression {
  readonly isOn: boolean;
  /** monotonic microseconds since when the other state would be right; null while the present one is */
  readonly otherSince: number | null;
}

export const noCompression: Compression = { isOn: false, otherSince: null };

/** Below it deflating costs less time than the bytes it saves; deflate at level 1 does about 40 MB a second on one core. */
const slowBytesPerSecond = 1_000_000;
const settleMicros = 2_000_000;

/** @param input.isFull entries wait because the window is full; input.rate in bytes a second as acknowledged */
export function decideCompression(
  state: Compression,
  input: { readonly isFull: boolean; readonly rate: number; readonly now: number },
): Compression {
  const wanted = input.isFull && input.rate < slowBytesPerSecond;
  if (wanted === state.isOn) return state.otherSince === null ? state : { ...state, otherSince: null };
  if (state.otherSince === null) return { ...state, otherSince: input.now };
  if (input.now - state.otherSince < settleMicros) return state;
  return { isOn: wanted, otherSince: null };
}
