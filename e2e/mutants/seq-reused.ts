/** Takes the place of packages/edge/src/outbox/next-seq.ts: goes on after what was passed, over what was only given. */
import type { RecoveredSeqs } from "../../packages/edge/src/outbox/next-seq.ts";

export function nextSeq(recovered: RecoveredSeqs): number {
  return recovered.passed + 1;
}
