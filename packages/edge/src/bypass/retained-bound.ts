/** How much clients may leave with the broker for late subscribers: topics, and bytes of messages and topics. */
export class RetainedBound {
  readonly #topics: number;
  readonly #bytes: number;
  readonly #kept = new Map<string, number>();
  #used = 0;

  constructor(limits: { readonly retainedTopics: number; readonly retainedBytes: number }) {
    this.#topics = limits.retainedTopics;
    this.#bytes = limits.retainedBytes;
  }

  /** A message that is to be kept; false when there is no room. An empty one frees its topic. */
  take(topic: string, payloadBytes: number): boolean {
    const before = this.#kept.get(topic) ?? 0;
    const size = payloadBytes === 0 ? 0 : payloadBytes + topic.length * 3;
    if (size > 0 && (this.#used - before + size > this.#bytes || (before === 0 && this.#kept.size >= this.#topics))) {
      return false;
    }
    this.#used += size - before;
    if (size === 0) this.#kept.delete(topic);
    else this.#kept.set(topic, size);
    return true;
  }
}
