import type { Clock } from "@penstock/runtime";

/**
 * How many different things each node may do in a span of time; the same thing again is free. Spans begin for all nodes at
 * once, so a node may use two of them back to back.
 *
 * Bound: `most` names a node, and nodes prove by certificate that they are ones of ours.
 */
export function createAllowance(clock: Clock, span: { readonly ms: number; readonly most: number }) {
  let now = -1;
  const used = new Map<string, Set<string>>();
  return {
    /** false when it is one too many */
    allow(node: string, what: string): boolean {
      const current = Math.floor(clock.monotonic() / (span.ms * 1000));
      if (current !== now) {
        now = current;
        used.clear();
      }
      const done = used.get(node) ?? new Set<string>();
      used.set(node, done);
      if (done.has(what)) return true;
      if (done.size >= span.most) return false;
      done.add(what);
      return true;
    },
  };
}
