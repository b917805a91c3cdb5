import {
  AppError,
  type CycleHealth,
  codeOf,
  type ErrorCode,
  type Layout,
  type ReadingBatch,
  traceId,
} from "@penstock/model";
import type { Clock, Log } from "@penstock/runtime";
import type { MapperToAgent, TraceStep } from "@penstock/wire";
import { budgetMs } from "./budget.ts";
import type { CollectMetrics } from "./collect-metrics.ts";
import { CycleMeter, slowestCycles } from "./cycle-meter.ts";
import type { CollectGroup } from "./groups.ts";
import type { LineUse } from "./line-use.ts";
import { logSteps } from "./log-steps.ts";
import type { Mapper } from "./mapper.ts";
import { badBatch, batchFromMapper, outcomeOf, type WallOf } from "./results.ts";
import type { ScheduleEffect, ScheduleInput } from "./schedule-types.ts";

/** Cycles that a node tells of. */
const mostCycles = 1000;
const file = "edge/src/collect/polled.ts";

export interface PolledOptions {
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

/** The groups that are read in cycles: one read at a time of each, its rows on the bus before the next. */
export class Polled {
  readonly #options: PolledOptions;
  readonly #meters = new Map<number, CycleMeter>();

  constructor(options: PolledOptions) {
    this.#options = options;
  }

  add({ id, collection }: CollectGroup): void {
    if (!("subscribe" in collection)) this.#meters.set(id, new CycleMeter(collection));
  }

  remove(group: number): void {
    this.#meters.delete(group);
  }

  /** @param reportMs time between reports to the cloud of a layout */
  cycles(reportMs: (layout: Layout) => number | null): CycleHealth[] {
    const now = this.#options.clock.monotonic();
    const all = [...this.#meters].flatMap(([id, meter]): CycleHealth[] => {
      const group = this.#options.group(id);
      if (group === undefined || "subscribe" in group.collection) return [];
      const { device, collection: cadence, layout } = group;
      const about = { device: device.uid, cadence, properties: layout.properties.length };
      return [{ ...about, ...meter.health(now), reportMs: reportMs(layout) }];
    });
    return slowestCycles(all, mostCycles);
  }

  overran(effect: Extract<ScheduleEffect, { readonly t: "overrun" }>): void {
    const { clock, log, metrics, group } = this.#options;
    metrics.overruns.add(effect.cycles);
    this.#meters.get(effect.group)?.overran(clock.monotonic(), effect);
    const device = group(effect.group)?.device.name;
    log.debug({ reason: "collect/overrun", device, cycles: effect.cycles }, "Skipped cycles");
  }

  /** Reads the group once; the outcome goes to the schedule, the rows to the bus. */
  async read(group: CollectGroup, mapper: Mapper): Promise<void> {
    const { clock, wallOf, log, metrics, run } = this.#options;
    const sentAt = clock.monotonic();
    metrics.cycles.add();
    this.#meters.get(group.id)?.ran(sentAt);
    let batch: ReadingBatch;
    let trace: readonly TraceStep[] | undefined;
    try {
      const values = await this.#request(group, mapper);
      const { body } = values;
      trace = values.trace;
      const now = clock.monotonic();
      metrics.readTime.observe((now - sentAt) / 1e6);
      batch = batchFromMapper({ layout: group.layout, body, sentAt, now, wallOf });
    } catch (error) {
      const code = codeOf(error);
      if (code === "internal") log.error({ error, device: group.device.name }, "A read failed");
      metrics.failures(code).add();
      const message = error instanceof Error ? error.message : String(error);
      run({ t: "answered", group: group.id, outcome: { code, message, hasRows: false } });
      return;
    }
    const outcome = outcomeOf(batch);
    if (outcome.code !== null) metrics.failures(outcome.code).add();
    const isOurs = this.#options.group(group.id) !== undefined;
    run({ t: "answered", group: group.id, outcome });
    if (!isOurs) return;
    if (log.tracing) logSteps(log, traceId(batch), trace);
    this.#publish(group, batch);
  }

  /** Rows in place of an answer; of groups that are subscribed to as well. */
  publishBad(group: CollectGroup, code: ErrorCode): void {
    const { clock, wallOf, metrics } = this.#options;
    const batch = badBatch(group.layout, code, clock.monotonic(), wallOf);
    metrics.badReadings.add(batch.count);
    this.#publish(group, batch);
  }

  async #request(group: CollectGroup, mapper: Mapper): Promise<Extract<MapperToAgent, { readonly t: "values" }>> {
    const { log, use } = this.#options;
    const { running } = mapper;
    if (running === null) throw new AppError(mapper.trouble().code, mapper.trouble().message);
    const { deadlineMs, end } = use(group).begin(budgetMs(group.connection.line, group.points.length));
    const traced = log.tracing ? { trace: true } : {};
    const ask = (id: number) => ({ t: "read", id, group: group.id, deadlineMs, ...traced }) as const;
    const answer = await running.request(ask, { deadlineMs }).finally(end);
    if (answer.t === "values" && answer.body instanceof Uint8Array) return answer;
    throw new AppError("mapper/bad-answer", `The mapper answered a read with "${answer.t}"`);
  }

  /** The group takes its next cycle only after the bus has room: a slow consumer slows collection, it does not fill memory. */
  #publish(group: CollectGroup, batch: ReadingBatch): void {
    const { log, metrics, publish, run } = this.#options;
    metrics.readings.add(batch.count);
    if (log.tracing) log.trace({ file, id: traceId(batch), readings: batch.count }, "Read from the device");
    void publish(batch).then(() => run({ t: "published", group: group.id }));
  }
}
