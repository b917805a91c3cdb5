import { missingFrom, type Ranges } from "@penstock/model";

/**
 * What to offer after a welcome: everything the outbox holds that the cloud does not say it has committed. What was sent
 * before says nothing about what arrived; it only tells how much goes over the line again.
 *
 * @param options.held ranges that the cloud has committed
 * @param options.sent highest seq that an earlier session handed to the line
 */
export function resumePlan(options: {
  readonly lowest: number;
  readonly highest: number;
  readonly held: Ranges;
  readonly sent: number;
}): { readonly backlog: Ranges; readonly again: number } {
  const backlog = missingFrom(options.held, options.lowest, options.highest);
  const again = backlog.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, options.sent) - from + 1), 0);
  return { backlog, again };
}
