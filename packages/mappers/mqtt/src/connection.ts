import {
  type CallOptions,
  fillNames,
  type MapperConnection,
  type OpenContext,
  type PointResult,
  payloadWriter,
  type SubscribeOptions,
  type Subscribes,
} from "@penstock/mapper-sdk";
import { AppError, type Value } from "@penstock/model";
import { BrokerLink, type Message } from "./broker-link.ts";
import { type MqttPoint, namesOf } from "./device-words.ts";
import type { Address, Connection, Visitor } from "./fields.ts";
import { Filters } from "./filters.ts";
import { HeldMessages } from "./held-messages.ts";
import type { Cell } from "./topic-news.ts";
import { TopicNews } from "./topic-news.ts";
import { bad, type Row, rowOf, Watch } from "./watch.ts";

const file = "mappers/mqtt/src/connection.ts";

/** Devices behind one broker. */
export class MqttConnection implements MapperConnection<Address, Visitor>, Subscribes<Address, Visitor> {
  readonly #context: OpenContext;
  readonly #link: BrokerLink;
  readonly #news: TopicNews;
  readonly #filters: Filters;
  readonly #held: HeldMessages;
  /** of a place that was written: how often it had been told then, and until when its next word is waited for */
  readonly #written = new WeakMap<Cell, { readonly told: number; readonly until: number }>();
  readonly #closing = new AbortController();

  /** @throws AppError mapper/connect-failed */
  static async open(settings: Connection, context: OpenContext, news = new TopicNews()): Promise<MqttConnection> {
    // What the broker kept for us comes before anybody can have asked for it.
    const held = new HeldMessages(context);
    const link = await BrokerLink.open(settings, context, {
      message: (message) => {
        held.add(message);
        news.take(message);
      },
      lost: context.lost,
    });
    if (link.isResumed) held.keep();
    else held.drop();
    return new MqttConnection({ context, link, news, held, keepsSession: !settings.cleanStart });
  }

  private constructor(options: {
    readonly context: OpenContext;
    readonly link: BrokerLink;
    readonly news: TopicNews;
    readonly held: HeldMessages;
    readonly keepsSession: boolean;
  }) {
    const { context, link, news, held, keepsSession } = options;
    this.#context = context;
    this.#link = link;
    this.#news = news;
    this.#held = held;
    this.#filters = new Filters({ link, news, clock: context.clock, delayMs: keepsSession ? 10_000 : 0 });
  }

  async subscribe(points: readonly MqttPoint[], options: SubscribeOptions): Promise<void> {
    const { signal, ended, each, trace } = options;
    const stop = AbortSignal.any([signal, ended, this.#closing.signal]);
    const watch = new Watch({ points, news: this.#news, each });
    // What the broker had kept for us was told before what it tells from now on.
    watch.replay(this.#held.messages);
    const end = () => {
      watch.end();
      for (const row of watch.rows) this.#filters.release(row);
    };
    try {
      const refused = await this.#agree(watch.rows, stop);
      watch.begin(refused);
    } catch (error) {
      end();
      throw error;
    }
    const { clock, line } = this.#context;
    const cancel = clock.after(line.timeoutMs, () => watch.tellSilent());
    const stopped = AbortSignal.any([ended, this.#closing.signal]);
    const onEnd = () => {
      cancel();
      end();
    };
    stopped.addEventListener("abort", onEnd, { once: true });
    trace?.(file, "The broker tells what comes on the topics");
  }

  /** The last that was told; a device is not asked. After a write its next word is waited for, at most the line's time-out. */
  async read(points: readonly MqttPoint[], { signal, trace }: CallOptions): Promise<readonly PointResult[]> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const rows = points.map((point) => rowOf(point, this.#news));
    const refused = await this.#agree(rows, stop);
    const results = await Promise.all(
      rows.map(async (row): Promise<PointResult> => {
        if (row.cell === null || row.reason !== null) return bad(row.reason ?? "mapper/bad-address");
        if (refused.has(row.cell.word.filter)) return bad("mapper/bad-address");
        const until = this.#filters.isNew(row.cell)
          ? this.#context.clock.monotonic() + this.#context.line.timeoutMs * 1000
          : (this.#written.get(row.cell)?.until ?? 0);
        await this.#nextWord(row.cell, until, stop);
        this.#filters.wasRead(row);
        if (row.will?.isGone === true) return bad("mapper/device-offline");
        if (row.cell.result === null) return bad("mapper/nothing-told");
        // A polled value is so now: the device's own time belongs to what it told.
        const { time: _, ...result } = row.cell.result;
        return result;
      }),
    );
    trace?.(file, "The last told values were taken");
    return results;
  }

  async write(point: MqttPoint, value: Value, { signal, trace }: CallOptions): Promise<void> {
    const { setTopic, setQos, retain, format, path, scale, offset, on, off, template } = point.visitor;
    if (setTopic === undefined) {
      throw new AppError("mapper/unsupported", `Cannot write "${point.property}": its visitor has no setTopic`);
    }
    const names = namesOf(point);
    const topic = fillNames(setTopic, names);
    const payload = payloadWriter({ format, path, scale, offset, on, off, template }, point.type)(value, names);
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    // What the device answers must not come before we listen.
    const row = point.visitor.topic === undefined ? null : rowOf(point, this.#news);
    if (row !== null) await this.#agree([row], stop);
    const told = row?.cell?.told ?? 0;
    const taken = await orAborted(this.#link.publish(topic, payload, { qos: setQos === "1" ? 1 : 0, retain }), stop);
    if (!taken && !retain) {
      const text = `Cannot write "${point.property}": nobody subscribes to "${topic}" at the broker`;
      throw new AppError("mapper/device-offline", text);
    }
    if (row?.cell) {
      const until = this.#context.clock.monotonic() + this.#context.line.timeoutMs * 1000;
      this.#written.set(row.cell, { told, until });
      this.#filters.wasRead(row);
    }
    trace?.(file, "The broker took the value");
  }

  async close(): Promise<void> {
    this.#held.drop();
    this.#filters.close();
    this.#closing.abort(new AppError("aborted", "The connection was closed"));
    await this.#link.close();
  }

  /** @returns filters that the broker refused */
  async #agree(rows: readonly Row[], stop: AbortSignal): Promise<ReadonlySet<string>> {
    if (stop.aborted) throw aborted(stop);
    return orAborted(this.#filters.agree(rows), stop);
  }

  /** Waits for a message about the place, unless one came since it was written. */
  #nextWord(cell: Cell, until: number, stop: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const waitMs = (until - clock.monotonic()) / 1000;
    const before = this.#written.get(cell)?.told ?? cell.told;
    if (waitMs <= 0 || cell.told > before || (cell.result !== null && !this.#written.has(cell)))
      return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onWord = (_: PointResult, message: Message) => {
        // What the broker had kept is older than the write.
        if (!message.isRetained || !this.#written.has(cell)) settle(resolve);
      };
      const onStop = () => settle(() => reject(aborted(stop)));
      const cancel = clock.after(waitMs, () => settle(resolve));
      const settle = (then: () => void) => {
        cancel();
        cell.wants.delete(onWord);
        stop.removeEventListener("abort", onStop);
        then();
      };
      cell.wants.add(onWord);
      stop.addEventListener("abort", onStop, { once: true });
    });
  }
}

function aborted(stop: AbortSignal): AppError {
  return stop.reason instanceof AppError
    ? stop.reason
    : new AppError("aborted", "The work was called off", { cause: stop.reason });
}

function orAborted<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  if (stop.aborted) {
    work.catch(() => {});
    return Promise.reject(aborted(stop));
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(aborted(stop));
    stop.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener("abort", onAbort));
  });
}
