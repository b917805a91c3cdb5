import type { OutboxEntry } from "@penstock/model";

/** The newest entries in memory, without a hole up to the highest durable seq, so that the live lane reads no disk. */
export interface Recent {
  /** the oldest goes when the bound is passed: it is still on disk */
  push(entry: OutboxEntry): void;
  /** the place to start from for `seq`; null when it is older than what is kept */
  from(seq: number): Iterable<OutboxEntry> | null;
  /** forgets the oldest while `isPassed` says so */
  trim(isPassed: (entry: OutboxEntry) => boolean): void;
}

/**
 * What an entry takes beside its bytes: the objects that hold it, measured at about 300 bytes of heap. A gateway of one
 * value a batch has few bytes in each, and hundreds of thousands of them.
 */
const besidesBytes = 400;
const sizeOf = ({ body }: OutboxEntry) => body.length + besidesBytes;

/** @param options.bytes of memory that the entries may take, bodies and all */
export function recentEntries(options: { readonly bytes: number }): Recent {
  let entries: OutboxEntry[] = [];
  let head = 0;
  let bytes = 0;

  function shift(): void {
    bytes -= sizeOf(entries[head]!);
    head++;
    if (head > 64 && head * 2 > entries.length) {
      entries = entries.slice(head);
      head = 0;
    }
  }

  return {
    push: (entry) => {
      entries.push(entry);
      bytes += sizeOf(entry);
      while (bytes > options.bytes && head < entries.length) shift();
    },
    from: (seq) => {
      const oldest = entries[head];
      if (oldest === undefined || seq < oldest.firstSeq) return null;
      let low = head;
      let high = entries.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        const entry = entries[middle]!;
        if (entry.firstSeq + entry.count > seq) high = middle;
        else low = middle + 1;
      }
      return entries.slice(low, low + 4096);
    },
    trim: (isPassed) => {
      while (head < entries.length && isPassed(entries[head]!)) shift();
    },
  };
}
