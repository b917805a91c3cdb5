/** About how many batches of a layout become one block, and so how many readings one chunk. */
export const blockTicks = 600;

/**
 * Decides which layouts are sealed, one at a time in the order they became due. The first block of each layout is due
 * after between half and one and a half times the usual number, spread by the golden ratio, so that layouts that began
 * together do not become due together for ever.
 */
export function createSealPlanner() {
  const due: { readonly layout: number; readonly ticks: number }[] = [];
  const waiting = new Set<number>();
  const begun = new Set<number>();
  const golden = 0.618_033_988_749_895;

  const target = (layout: number) =>
    begun.has(layout) ? blockTicks : Math.round(blockTicks * (0.5 + ((layout * golden) % 1)));
  function put(layout: number, ticks: number): void {
    waiting.add(layout);
    due.push({ layout, ticks });
  }
  return {
    /** call when a layout has `count` hot batches */
    grown(layout: number, count: number): void {
      if (!waiting.has(layout) && count >= target(layout)) put(layout, target(layout));
    },
    /** call for a layout whose oldest hot batch is too old */
    aged(layout: number, count: number): void {
      if (!waiting.has(layout) && count > 0) put(layout, Math.min(count, blockTicks));
    },
    next(): { readonly layout: number; readonly ticks: number } | null {
      const job = due.shift();
      if (job === undefined) return null;
      waiting.delete(job.layout);
      begun.add(job.layout);
      return job;
    },
  };
}
