/** Takes the place of packages/edge/src/link/resume.ts: takes what was sent for what has arrived. */
import { missingFrom, type Ranges } from "@penstock/model";

export function resumePlan(options: {
  readonly lowest: number;
  readonly highest: number;
  readonly held: Ranges;
  readonly sent: number;
}): { readonly backlog: Ranges; readonly again: number } {
  const { lowest, highest, held, sent } = options;
  return { backlog: missingFrom(held, Math.max(lowest, sent + 1), highest), again: 0 };
}
