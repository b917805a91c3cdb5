/** One thing that happens at a virtual time. */
export interface SimEvent {
  readonly at: number;
  /** order among equal times: first made, first run */
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A binary heap of events by (time, order of making). Unbounded: a simulation ends, and its caller counts steps. */
export class SimQueue {
  readonly #heap: SimEvent[] = [];
  #made = 0;

  push(at: number, run: () => void): SimEvent {
    const event: SimEvent = { at, order: this.#made++, run, cancelled: false };
    const heap = this.#heap;
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
    return event;
  }

  /** the next event that is not cancelled, left in the queue */
  peek(): SimEvent | undefined {
    while (this.#heap[0]?.cancelled === true) this.#drop();
    return this.#heap[0];
  }

  pop(): SimEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.#drop();
    return first;
  }

  #drop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return;
    let i = 0;
    for (;;) {
      let child = i * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
