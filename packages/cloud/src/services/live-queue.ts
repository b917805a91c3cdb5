/**
 * A bounded queue between what happens and one slow reader. When full the oldest goes, and it is counted. The newest is
 * always kept, however heavy it is by itself.
 */
export interface LiveQueue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** items left out since the beginning */
  readonly dropped: number;
  close(): void;
}

export function createLiveQueue<T>(options: {
  /** items */
  readonly bound: number;
  /** of all items together */
  readonly weightBound: number;
  readonly weightOf: (item: T) => number;
  readonly onDrop: () => void;
}): LiveQueue<T> {
  const items: T[] = [];
  let weight = 0;
  let dropped = 0;
  let isClosed = false;
  let wake: (() => void) | null = null;
  return {
    push(item) {
      if (isClosed) return;
      weight += options.weightOf(item);
      while (items.length > 0 && (items.length >= options.bound || weight > options.weightBound)) {
        weight -= options.weightOf(items.shift()!);
        dropped += 1;
        options.onDrop();
      }
      items.push(item);
      wake?.();
    },
    get dropped() {
      return dropped;
    },
    close() {
      isClosed = true;
      wake?.();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) {
          weight -= options.weightOf(item);
          yield item;
        } else if (isClosed) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = null;
        }
      }
    },
  };
}
