import type { DeviceUid, ReadingBatch } from "@penstock/model";
import {
  batchReader,
  type HostFunctions,
  type ObjectValue,
  type OffsetAt,
  planQuery,
  QueryRunner,
  type Row,
} from "@penstock/rules";
import type { Cancel, Clock } from "@penstock/runtime";
import type { DeviceStreams } from "./device-streams.ts";

/** A rule as the gateway runs it. */
export interface RuleSpec {
  /** unique at the gateway */
  readonly name: string;
  readonly sql: string;
  /** how SQL is read: as eKuiper does, or as people who know SQL expect */
  readonly mode: "compat" | "strict";
}

export interface RuleParts {
  readonly streams: DeviceStreams;
  readonly clock: Clock;
  readonly host: HostFunctions;
  /** IANA; days and local windows are counted in it */
  readonly timeZone: string;
  readonly offsetAt: OffsetAt;
  /** results, in order */
  rows(rows: readonly ObjectValue[]): void;
  error(message: string): void;
}

/** What a rule has done since it began. */
export interface RuleCounts {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly errors: number;
  /** of the last error; null: none */
  readonly lastError: string | null;
}

/** One rule at work: rows of its devices in, results out; time moves its windows. */
export class RunningRule {
  readonly #clock: Clock;
  readonly #runner: QueryRunner;
  /** how the batches of a device become rows; a device may be there under several names */
  readonly #readers = new Map<DeviceUid, ((batch: ReadingBatch) => Row)[]>();
  readonly #counts = { rowsIn: 0, rowsOut: 0, errors: 0, lastError: null as string | null };
  #cancel: Cancel = () => {};
  #isClosed = false;

  /** @throws AppError rules/bad-sql when the query cannot be read, or does not fit the devices */
  constructor({ name, sql, mode }: RuleSpec, parts: RuleParts) {
    const { streams, clock, host, timeZone, offsetAt } = parts;
    this.#clock = clock;
    const plan = planQuery({
      ...{ sql, mode, host, timeZone, offsetAt, ruleId: name, startedAt: clock.now(), catalog: streams.catalog },
    });
    for (const source of plan.sources) {
      const device = streams.find(source.stream)!;
      const readers = this.#readers.get(device.uid) ?? [];
      readers.push(batchReader(source, streams.metaOf(device)));
      this.#readers.set(device.uid, readers);
    }
    this.#runner = new QueryRunner(plan, {
      rows: (rows) => {
        this.#counts.rowsOut += rows.length;
        parts.rows(rows);
      },
      error: ({ message }) => {
        this.#counts.errors++;
        this.#counts.lastError = message;
        parts.error(message);
      },
    });
  }

  get devices(): Iterable<DeviceUid> {
    return this.#readers.keys();
  }

  get counts(): RuleCounts {
    return { ...this.#counts };
  }

  /** Rules count in processing time: a row is of the moment at which it came. */
  take(batch: ReadingBatch): void {
    const now = this.#clock.now();
    for (const read of this.#readers.get(batch.layout.device) ?? []) {
      this.#counts.rowsIn++;
      this.#runner.push({ ...read(batch), at: now }, now);
    }
    this.#arm();
  }

  /** Closes windows when their time has come, though nothing comes. */
  #arm(): void {
    this.#cancel();
    const due = this.#runner.due();
    if (due === null || this.#isClosed) return;
    const delayMs = Math.max(0, Math.ceil((due - this.#clock.now()) / 1000));
    this.#cancel = this.#clock.after(delayMs, () => {
      const now = this.#clock.now();
      this.#runner.tick(now, now);
      this.#arm();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }
}
