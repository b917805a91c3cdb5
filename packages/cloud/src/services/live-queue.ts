/** A bounded queue between what happens and one slow reader. When full the oldest goes, and it is counted. */
export interface LiveQueue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** items left out since the beginning */
  readonly dropped: number;
  close(): void;
}

export function createLiveQueue<T>(options: { readonly bound: number; readonly onDrop: () => void }): LiveQueue<T> {
  const items: T[] = [];
  let dropped = 0;
  let isClosed = false;
  let wake: (() => void) | null = null;
  return {
    push(item) {
      if (isClosed) return;
      if (items.length >= options.bound) {
        items.shift();
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
        if (item !== undefined) yield item;
        else if (isClosed) return;
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
