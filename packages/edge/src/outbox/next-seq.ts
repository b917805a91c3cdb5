export interface RecoveredSeqs {
  /** highest seq of an entry found on disk; 0 when none */
  readonly highestEntry: number;
  /** highest first seq that a segment's head names: all below it were given, whether or not their segments are left */
  readonly promised: number;
  /** every cursor has passed all up to here */
  readonly passed: number;
}

/** The first seq after a restart. A seq that may ever have been seen outside is not given again. */
export function nextSeq(recovered: RecoveredSeqs): number {
  return Math.max(recovered.highestEntry + 1, recovered.promised, recovered.passed + 1);
}
