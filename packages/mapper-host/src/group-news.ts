import type { PointResult } from "@penstock/mapper-sdk";
import {
  batchFromSamples,
  type DeviceUid,
  type ErrorCode,
  type Layout,
  limits,
  type Micros,
  type Quality,
  type Sample,
  type Value,
} from "@penstock/model";
import type { Cancel, Clock } from "@penstock/runtime";
import { encodeBatchBody, type MapperToAgent, newsInFlight, type PointSpec } from "@penstock/wire";
import { valueProblem } from "./value-problem.ts";

/** What falls close together goes in one message. */
const grainMs = 5;
const rowsPerMessage = 5000;
/** A batch dates its rows by 32 bits of microseconds from its first. */
const spreadUs = 2 ** 31 - 1;

interface Row {
  readonly row: number;
  readonly time: number;
  readonly isWall: boolean;
  readonly value: Value;
  readonly quality: Quality;
  readonly reason: ErrorCode | null;
}

/**
 * The changes of one subscribed group on their way to the agent: kept in order, in batches of at most one row a property,
 * at most `newsInFlight` of them not taken. Behind those at most `limits.newsWaiting` changes wait; then the oldest go and
 * are counted.
 */
export class GroupNews {
  readonly #group: number;
  readonly #layout: Layout;
  readonly #clock: Clock;
  readonly #send: (message: MapperToAgent) => void;
  /** from `#head`; what lies before has been sent */
  #rows: Row[] = [];
  #head = 0;
  #inFlight = 0;
  #dropped = 0;
  #flush: Cancel | null = null;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;
  #isClosed = false;

  constructor(options: {
    readonly group: number;
    readonly device: string;
    readonly points: readonly PointSpec[];
    readonly clock: Clock;
    readonly send: (message: MapperToAgent) => void;
  }) {
    const properties = options.points.map(({ property: name, type }) => ({ name, type }));
    this.#layout = { id: 0, device: options.device as DeviceUid, properties }; // the agent names the device by its uid
    this.#group = options.group;
    this.#clock = options.clock;
    this.#send = options.send;
  }

  /** @param row position in the group; one that is not there is passed over, drivers are foreign code */
  add(row: number, result: PointResult): void {
    const property = this.#layout.properties[row];
    if (this.#isClosed || property === undefined) return;
    if (this.#waiting >= limits.newsWaiting) {
      this.#head++;
      this.#dropped++;
    }
    const isWall = result.time !== undefined;
    const time = Math.trunc(result.time ?? result.monotonic ?? this.#clock.monotonic());
    this.#rows.push({ row, time, isWall, ...judged(property.type, result) });
    this.#arm();
  }

  /** null while there is room; resolves when there is again, or nobody wants to know any more */
  room(): Promise<void> | null {
    if (this.#isClosed || this.#waiting < limits.newsWaiting / 2) return null;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  get #waiting(): number {
    return this.#rows.length - this.#head;
  }

  #tellRoom(): void {
    if (this.#room === null || (!this.#isClosed && this.#waiting >= limits.newsWaiting / 2)) return;
    this.#room.resolve();
    this.#room = null;
  }

  /** the agent has room for one more message */
  taken(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    this.#sendAll();
  }

  /** nothing is sent any more, not even what waits */
  close(): void {
    this.#isClosed = true;
    this.#flush?.();
    this.#rows = [];
    this.#head = 0;
    this.#tellRoom();
  }

  /** sends what waits, as far as there is room */
  flush(): void {
    this.#flush?.();
    this.#flush = null;
    this.#sendAll();
  }

  #arm(): void {
    if (this.#flush !== null || this.#inFlight >= newsInFlight) return;
    this.#flush = this.#clock.after(grainMs, () => {
      this.#flush = null;
      this.#sendAll();
    });
  }

  #sendAll(): void {
    while (!this.#isClosed && this.#inFlight < newsInFlight && this.#head < this.#rows.length) {
      const isWall = this.#rows[this.#head]!.isWall;
      const { batch } = batchFromSamples({ layout: this.#layout, samples: this.#next() });
      this.#inFlight++;
      this.#send({ t: "news", group: this.#group, body: encodeBatchBody(batch), isWall, dropped: this.#dropped });
      this.#dropped = 0;
    }
    if (this.#head === this.#rows.length) {
      this.#rows = [];
      this.#head = 0;
    }
    this.#tellRoom();
  }

  /** as many of the first rows as one batch can hold */
  #next(): Sample[] {
    const first = this.#rows[this.#head]!;
    const samples: Sample[] = [];
    const seen = new Set<number>();
    for (; this.#head < this.#rows.length && samples.length < rowsPerMessage; this.#head++) {
      const { row, time, isWall, value, quality, reason } = this.#rows[this.#head]!;
      // From the first row of the layout a batch counts, whichever that is; so half of the spread to either side.
      if (seen.has(row) || isWall !== first.isWall || Math.abs(time - first.time) > spreadUs / 2) break;
      seen.add(row);
      samples.push({
        ...{ property: this.#layout.properties[row]!.name, time: time as Micros },
        ...{ value, quality, reason },
      });
    }
    return samples;
  }
}

function judged(type: Parameters<typeof valueProblem>[0], { value, quality, reason }: PointResult) {
  const problem = value === null ? (reason ?? "mapper/bad-answer") : valueProblem(type, value);
  if (problem !== null) return { value: null, quality: "bad", reason: problem } as const;
  return { value, quality: quality ?? (reason === undefined ? "good" : "bad"), reason: reason ?? null } as const;
}
