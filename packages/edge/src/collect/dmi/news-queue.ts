import {
  batchFromSamples,
  type DeviceUid,
  type ErrorCode,
  type Layout,
  limits,
  type Micros,
  type Sample,
  type Value,
} from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import { encodeBatchBody, type MapperToAgent, newsInFlight, type PointSpec } from "@penstock/wire";

/** What falls close together goes in one message, and on the disk with one sync: at 5 ms thousands of reports cost a tenth more. */
const grainMs = 10;
const rowsPerMessage = 5000;
/** A batch dates its rows by 32 bits of microseconds from its first; half of that to either side. */
const spreadUs = 2 ** 30;

export interface ReportedRow {
  readonly property: string;
  readonly value: Value;
  readonly reason: ErrorCode | null;
  /** the mapper's own time; null = it named none, and the time of arrival counts */
  readonly time: number | null;
}
interface Row extends ReportedRow {
  readonly at: number;
}

/**
 * Reports of one group on their way to the bus: in order, in batches of at most one row a property, at most `newsInFlight`
 * of them not taken, none before `open`. Behind those at most `limits.newsWaiting` rows wait; then the oldest go and are counted.
 */
export class NewsQueue {
  readonly layout: Layout;
  readonly #group: number;
  readonly #clock: Clock;
  readonly #send: (message: MapperToAgent) => void;
  /** from `#head`; what lies before has been sent */
  #rows: Row[] = [];
  #head = 0;
  #inFlight = 0;
  #dropped = 0;
  #isOpen = false;
  #flush: Cancel | null = null;

  constructor(options: {
    readonly group: number;
    readonly device: string;
    readonly points: readonly PointSpec[];
    readonly clock: Clock;
    readonly send: (message: MapperToAgent) => void;
  }) {
    const properties = options.points.map(({ property: name, type }) => ({ name, type }));
    this.layout = { id: 0, device: options.device as DeviceUid, properties }; // the agent names devices by their uid
    this.#group = options.group;
    this.#clock = options.clock;
    this.#send = options.send;
  }

  add(row: ReportedRow): void {
    if (this.#rows.length - this.#head >= limits.newsWaiting) {
      this.#head++;
      this.#dropped++;
    }
    this.#rows.push({ ...row, at: row.time ?? this.#clock.monotonic() });
    this.#arm();
  }

  /** From now on somebody takes them. What waited without a time of its own is dated by now: it is part of the first answer. */
  open(): void {
    this.#isOpen = true;
    const now = this.#clock.monotonic();
    this.#rows = this.#rows.map((row) => (row.time === null ? { ...row, at: now } : row));
    this.#arm();
  }

  #arm(): void {
    if (!this.#isOpen || this.#flush !== null || this.#inFlight >= newsInFlight) return;
    this.#flush = this.#clock.after(grainMs, () => {
      this.#flush = null;
      this.#sendAll();
    });
  }

  /** the agent has room for one more message */
  taken(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    this.#sendAll();
  }

  /**
   * Nobody will take more. What waits is sent at once if somebody did take some: its mapper was told that it was taken.
   *
   * @returns rows that are lost
   */
  close({ isHeard }: { readonly isHeard: boolean }): number {
    this.#flush?.();
    if (this.#isOpen && isHeard) this.#sendAll(Number.POSITIVE_INFINITY);
    const lost = this.#rows.length - this.#head;
    this.#rows = [];
    this.#head = 0;
    return lost;
  }

  #sendAll(mostInFlight = newsInFlight): void {
    while (this.#head < this.#rows.length && this.#inFlight < mostInFlight) {
      const isWall = this.#rows[this.#head]!.time !== null;
      const { batch } = batchFromSamples({ layout: this.layout, samples: this.#next() });
      this.#inFlight++;
      this.#send({ t: "news", group: this.#group, body: encodeBatchBody(batch), isWall, dropped: this.#dropped });
      this.#dropped = 0;
    }
    if (this.#head === this.#rows.length) {
      this.#rows = [];
      this.#head = 0;
    }
  }

  /** as many of the first rows as one batch can hold */
  #next(): Sample[] {
    const first = this.#rows[this.#head]!;
    const samples: Sample[] = [];
    const seen = new Set<string>();
    for (; this.#head < this.#rows.length && samples.length < rowsPerMessage; this.#head++) {
      const { property, value, reason, time, at } = this.#rows[this.#head]!;
      if (seen.has(property) || (time === null) !== (first.time === null) || Math.abs(at - first.at) > spreadUs) break;
      seen.add(property);
      samples.push({ property, value, reason, time: at as Micros, quality: reason === null ? "good" : "bad" });
    }
    return samples;
  }
}
