interface Due {
  readonly at: number;
  readonly key: string;
}

/** What is due when: a binary heap, earliest first. A key stands in it at most once. */
export class DueTimes {
  readonly #heap: Due[] = [];
  readonly #valid = new Map<string, Due>();

  set(key: string, at: number): void {
    const due = { at, key };
    this.#valid.set(key, due);
    this.#heap.push(due);
    this.#up(this.#heap.length - 1);
    // Entries that were replaced or removed stay in the heap until they come up; this bounds them.
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#valid.size) this.#rebuild();
  }

  remove(key: string): void {
    this.#valid.delete(key);
  }

  /** time of the earliest, or null */
  next(): number | null {
    this.#dropStale();
    return this.#heap[0]?.at ?? null;
  }

  /** takes the earliest key that is due at `now`, or null */
  take(now: number): string | null {
    this.#dropStale();
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return null;
    this.#pop();
    this.#valid.delete(first.key);
    return first.key;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#valid.get(first.key) === first) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    this.#heap.length = 0;
    // Sorted ascending is a heap.
    this.#heap.push(...[...this.#valid.values()].sort((a, b) => a.at - b.at));
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < this.#heap.length && this.#heap[left]!.at < this.#heap[least]!.at) least = left;
      if (right < this.#heap.length && this.#heap[right]!.at < this.#heap[least]!.at) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #up(at: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#heap[parent]!.at <= this.#heap[at]!.at) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a]!;
    this.#heap[a] = this.#heap[b]!;
    this.#heap[b] = held;
  }
}
