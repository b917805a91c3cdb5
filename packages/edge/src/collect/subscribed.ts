import { AppError, codeOf, isErrorCode, type ReadingBatch, traceId } from "@penstock/model";
import type { Clock, Log } from "@penstock/runtime";
import type { MapperToAgent } from "@penstock/wire";
import { budgetMs } from "./budget.ts";
import type { CollectMetrics } from "./collect-metrics.ts";
import type { CollectGroup } from "./groups.ts";
import type { LineUse } from "./line-use.ts";
import type { Mapper } from "./mapper.ts";
import { batchFromNews } from "./news.ts";
import { outcomeOf, type WallOf } from "./results.ts";
import { sayable } from "./sayable.ts";
import type { ScheduleInput } from "./schedule-types.ts";

type News = Extract<MapperToAgent, { readonly t: "news" | "unsubscribed" }>;
const file = "edge/src/collect/subscribed.ts";
/** A queue that is too small overflows again and again; the log says so once in a while. */
const lostEveryUs = 60_000_000;

export interface SubscribedOptions {
  readonly clock: Clock;
  readonly wallOf: WallOf;
  readonly log: Log;
  readonly metrics: CollectMetrics;
  group(id: number): CollectGroup | undefined;
  /** what is in flight on the group's line */
  use(group: CollectGroup): LineUse;
  /** hands the batch to the bus; resolves when there is room for another */
  publish(batch: ReadingBatch): Promise<void>;
  run(input: ScheduleInput): void;
}

/**
 * The groups whose devices tell changes by themselves. The mapper sends more only when the bus has taken what came: a slow
 * consumer slows the mapper, and what finds no room there is dropped, oldest first, and counted.
 */
export class Subscribed {
  readonly #options: SubscribedOptions;
  /** since when, on the monotonic clock */
  readonly #since = new Map<number, number>();
  /** when the log last said that changes are lost at the device */
  readonly #lostAt = new Map<number, number>();

  constructor(options: SubscribedOptions) {
    this.#options = options;
  }

  /** Asks the device to tell its changes; the outcome goes to the schedule. */
  async begin(group: CollectGroup, mapper: Mapper): Promise<void> {
    const { clock, log, metrics, run, use } = this.#options;
    const { id, connection, points } = group;
    try {
      const { running } = mapper;
      if (running === null) throw new AppError(mapper.trouble().code, mapper.trouble().message);
      this.#since.set(id, clock.monotonic());
      const { deadlineMs, end } = use(group).begin(budgetMs(connection.line, points.length));
      const traced = log.tracing ? { trace: true } : {};
      const ask = (request: number) => ({ t: "subscribe", id: request, group: id, deadlineMs, ...traced }) as const;
      const answer = await running.request(ask, { deadlineMs }).finally(end);
      if (answer.t !== "subscribed") {
        throw new AppError("mapper/bad-answer", `The mapper answered a subscription with "${answer.t}"`);
      }
      run({ t: "answered", group: id, outcome: { code: null, message: null, hasRows: false } });
    } catch (error) {
      const code = codeOf(error);
      if (code === "internal") log.error({ error, device: group.device.name }, "A subscription failed");
      metrics.failures(code).add();
      const message = error instanceof Error ? error.message : String(error);
      run({ t: "answered", group: id, outcome: { code, message, hasRows: false } });
    }
  }

  take(message: News, mapper: Mapper): void {
    const group = this.#options.group(message.group);
    // Of one that has been removed meanwhile, or of another mapper's: its own numbers are all that it may speak of.
    if (group === undefined || group.connection.protocol !== mapper.name) return;
    if (message.t === "unsubscribed") {
      const code = isErrorCode(message.code) ? message.code : "mapper/bad-answer";
      this.#options.run({ t: "ended", group: group.id, code, message: sayable(message.message) });
      return;
    }
    void this.#publish(message, group, mapper);
  }

  removed(group: number): void {
    this.#since.delete(group);
    this.#lostAt.delete(group);
  }

  async #publish(message: Extract<News, { readonly t: "news" }>, group: CollectGroup, mapper: Mapper): Promise<void> {
    const { clock, wallOf, log, metrics, run, publish } = this.#options;
    const { id, layout } = group;
    const { running } = mapper;
    if (message.dropped > 0) {
      metrics.newsDropped.add(message.dropped);
      log.warn({ device: group.device.name, dropped: message.dropped }, "The device tells more than the gateway takes");
    }
    let batch: ReadingBatch;
    try {
      const now = clock.monotonic();
      const since = this.#since.get(id) ?? now;
      batch = batchFromNews({ layout, body: message.body, isWall: message.isWall, since, now, wallOf });
    } catch (error) {
      metrics.failures(codeOf(error)).add();
      log.warn({ error, device: group.device.name }, "Passed over news of a mapper");
      running?.send({ t: "taken", group: id });
      return;
    }
    const { code } = outcomeOf(batch);
    run({ t: "news", group: id, code });
    metrics.readings.add(batch.count);
    this.#countLost(batch, group);
    if (log.tracing) log.trace({ file, id: traceId(batch), readings: batch.count }, "Told by the device");
    await publish(batch);
    running?.send({ t: "taken", group: id });
  }

  #countLost({ reasons, reasonIndex }: ReadingBatch, { id, device }: CollectGroup): void {
    const place = reasons.indexOf("mapper/changes-lost") + 1;
    if (place === 0 || reasonIndex === null) return;
    const { clock, log, metrics } = this.#options;
    const changes = reasonIndex.reduce((sum, at) => (at === place ? sum + 1 : sum), 0);
    metrics.changesLost.add(changes);
    const now = clock.monotonic();
    if (now - (this.#lostAt.get(id) ?? Number.NEGATIVE_INFINITY) < lostEveryUs) return;
    this.#lostAt.set(id, now);
    log.warn({ device: device.name, changes }, "Changes were lost at the device: its queue for us was full");
  }
}
