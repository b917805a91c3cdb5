import type { DriverClock } from "@penstock/mapper-sdk";
import { limits } from "@penstock/model";
import type { BrokerLink } from "./broker-link.ts";
import type { Cell, TopicNews } from "./topic-news.ts";
import type { Row } from "./watch.ts";

/** A property that is polled is looked at once a day at least, or it is polled no more. */
const forgottenUs = (limits.collectEveryMaxMs + 3_600_000) * 1000;
const filtersPerPacket = 200;

/** What the broker was asked for: each filter once, given back when nobody wants it any more. */
export class Filters {
  readonly #link: BrokerLink;
  readonly #news: TopicNews;
  readonly #clock: DriverClock;
  readonly #delayMs: number;
  readonly #agreed = new Map<string, Promise<boolean>>();
  /** rows that were read, and when; they stay subscribed to */
  readonly #reads = new Map<Cell, { readonly row: Row; readonly at: number }>();
  readonly #pending = new Set<() => void>();
  #isClosed = false;

  /** @param delayMs before a filter is given back: the broker shall keep what comes during a restart */
  constructor(options: {
    readonly link: BrokerLink;
    readonly news: TopicNews;
    readonly clock: DriverClock;
    readonly delayMs: number;
  }) {
    this.#link = options.link;
    this.#news = options.news;
    this.#clock = options.clock;
    this.#delayMs = options.delayMs;
  }

  /** @returns filters that the broker refused. @throws AppError mapper/connection-lost */
  async agree(rows: readonly Row[]): Promise<ReadonlySet<string>> {
    const words = new Map<string, 0 | 1>();
    const wills = new Map<string, 0 | 1>();
    for (const { cell, will } of rows) {
      if (cell === null) continue;
      words.set(cell.word.filter, cell.word.qos);
      if (will !== null) wills.set(will.will.topic, 1);
    }
    // Whether a device is there is known before what the broker has kept of it: it answers one packet after the other.
    for (const wanted of [wills, words]) {
      const missing = [...wanted].filter(([filter]) => !this.#agreed.has(filter));
      for (let at = 0; at < missing.length; at += filtersPerPacket) {
        this.#ask(missing.slice(at, at + filtersPerPacket));
      }
    }
    const refused = new Set<string>();
    for (const filter of [...wills.keys(), ...words.keys()])
      if ((await this.#agreed.get(filter)) === false) refused.add(filter);
    // What was refused may be allowed the next time.
    for (const filter of refused) this.#agreed.delete(filter);
    return refused;
  }

  isNew(cell: Cell): boolean {
    return cell.wants.size === 0 && !this.#reads.has(cell);
  }

  wasRead(row: Row): void {
    if (row.cell === null) return;
    const at = this.#clock.monotonic();
    const isNew = !this.#reads.has(row.cell);
    this.#reads.set(row.cell, { row, at });
    if (!isNew) return;
    for (const [cell, { row: old, at: readAt }] of this.#reads) {
      if (at - readAt < forgottenUs) continue;
      this.#reads.delete(cell);
      this.release(old);
    }
  }

  /** nobody watches the row any more */
  release({ cell, will }: Row): void {
    if (this.#isClosed || cell === null) return;
    if (this.#delayMs === 0) {
      this.#drop(cell, will);
      return;
    }
    const cancel = this.#clock.after(this.#delayMs, () => {
      this.#pending.delete(cancel);
      this.#drop(cell, will);
    });
    this.#pending.add(cancel);
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#pending) cancel();
  }

  #ask(filters: readonly (readonly [string, 0 | 1])[]): void {
    const asked = this.#link.subscribe(filters.map(([filter, qos]) => ({ filter, qos })));
    filters.forEach(([filter], i) => {
      const agreed = asked.then((taken) => taken[i] === true);
      agreed.catch(() => this.#agreed.delete(filter));
      this.#agreed.set(filter, agreed);
    });
  }

  #drop(cell: Cell, will: Row["will"]): void {
    if (cell.wants.size > 0 || this.#reads.has(cell)) return;
    this.#give(cell.word.filter, cell.word.key);
    if (will !== null && will.wants.size === 0) this.#give(will.will.topic, will.will.key);
  }

  #give(filter: string, key: string): void {
    if (!this.#news.drop(filter, key) || !this.#agreed.delete(filter)) return;
    // Nobody waits for it; a connection that ends meanwhile has ended the subscription as well.
    this.#link.unsubscribe(filter).catch(() => {});
  }
}
