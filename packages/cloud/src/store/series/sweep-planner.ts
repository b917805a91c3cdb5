/** A run of hot ids, `to` not included. */
export interface HotRange {
  readonly from: number;
  readonly to: number;
}
interface Segment {
  stored: number;
  live: number;
}

/** Hot ids that are swept together; as rows they fill 4 to 256 pages. */
export const segmentIds = 256;

/**
 * Decides which sealed batches are taken out of the hot table. One by one would write a whole page for each, so it goes by
 * segments of neighbouring ids, which share their pages: one without any live batch is due at once. Where slow layouts
 * keep segments alive, sealed batches would pile up; once they are more than twice the live ones, every segment in which
 * they are is due too. Such a sweep takes away at least two thirds of what it rewrites.
 *
 * Keeps books only: who sweeps says so with `swept`, and what was not swept is offered again.
 */
export function createSweepPlanner() {
  const segments = new Map<number, Segment>();
  const due = new Set<number>();
  let sealed = 0;
  let live = 0;

  const segmentOf = (id: number) => Math.floor(id / segmentIds);
  function died(id: number, stays: boolean): void {
    const at = segmentOf(id);
    const segment = segments.get(at)!;
    live--;
    segment.live--;
    if (stays) sealed++;
    else segment.stored--;
    if (segment.live > 0) return;
    if (segment.stored > 0) due.add(at);
    else segments.delete(at);
  }
  function askFor(wanted: (segment: Segment) => boolean): void {
    for (const [at, segment] of segments) if (segment.stored > segment.live && wanted(segment)) due.add(at);
  }

  return {
    stored(id: number): void {
      const segment = segments.get(segmentOf(id));
      live++;
      if (segment === undefined) segments.set(segmentOf(id), { stored: 1, live: 1 });
      else {
        segment.stored++;
        segment.live++;
      }
    },
    /** their rows stay until they are swept */
    sealed(ids: Float64Array): void {
      for (const id of ids) died(id, true);
    },
    /** their rows are gone */
    removed(ids: Float64Array): void {
      for (const id of ids) died(id, false);
    },
    /** makes every segment with sealed batches due */
    askForAll: () => askFor(() => true),
    /** neighbouring segments that are due, as one range; null when nothing is */
    next(): HotRange | null {
      if (due.size === 0 && sealed > 2 * live) askFor((segment) => segment.stored > 3 * segment.live);
      const [any] = due;
      if (any === undefined) return null;
      let from = any;
      let to = any + 1;
      while (due.has(from - 1)) from--;
      while (due.has(to)) to++;
      return { from: from * segmentIds, to: to * segmentIds };
    },
    /** no sealed batch is left in the range */
    swept({ from, to }: HotRange): void {
      for (let at = segmentOf(from); at < segmentOf(to); at++) {
        due.delete(at);
        const segment = segments.get(at);
        if (segment === undefined) continue;
        sealed -= segment.stored - segment.live;
        segment.stored = segment.live;
        if (segment.live === 0) segments.delete(at);
      }
    },
  };
}
