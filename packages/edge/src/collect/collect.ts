import {
  AppError,
  type AssignedSet,
  type Bus,
  type ConnectionUid,
  type CycleHealth,
  codeOf,
  type DeviceAccess,
  type DeviceHealth,
  type DeviceUid,
  diffAssigned,
  type EffectiveConnection,
  type EffectiveDevice,
  type ErrorCode,
  isErrorCode,
  type Layout,
  type LineHealth,
  type MapperStatus,
  type ReadingBatch,
  traceId,
} from "@penstock/model";
import type { Cancel, ChildProcesses, Clock, Files, Log, Metrics } from "@penstock/runtime";
import type { MapperToAgent, TraceStep } from "@penstock/wire";
import { Begun } from "./begun.ts";
import { budgetMs } from "./budget.ts";
import { collectMetrics } from "./collect-metrics.ts";
import { CycleMeter, slowestCycles } from "./cycle-meter.ts";
import { DayClock } from "./day-clock.ts";
import { deviceAccess } from "./device-access.ts";
import { findMapper } from "./find-mapper.ts";
import { type CollectGroup, groupMessage, groupsOf, openMessage } from "./groups.ts";
import { LineTurns } from "./line-turns.ts";
import { LineUse } from "./line-use.ts";
import { logSteps } from "./log-steps.ts";
import { type HostCommand, Mapper } from "./mapper.ts";
import { badBatch, batchFromMapper, outcomeOf, type WallOf } from "./results.ts";
import { sayable } from "./sayable.ts";
import { Schedule } from "./schedule.ts";
import type { LineState, ScheduleEffect, ScheduleInput } from "./schedule-types.ts";

export interface CollectOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly files: Files;
  readonly processes: ChildProcesses;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly wallOf: WallOf;
  /** folders that hold a `mapper.json`, or folders with one; of two mappers of one name the first found */
  readonly mapperFolders: readonly string[];
  readonly hostCommand: HostCommand;
}
export interface Collect {
  /** collects what the set says from now on; what did not change goes on undisturbed */
  apply(set: AssignedSet): void;
  readonly access: DeviceAccess;
  /** these are installed anew, or no more */
  mappersChanged(names: readonly string[]): void;
  mappers(): MapperStatus[];
  devices(): DeviceHealth[];
  /** @param reportMs time between reports to the cloud of a layout, by whoever decides on them */
  cycles(reportMs: (layout: Layout) => number | null): CycleHealth[];
  lines(): LineHealth[];
  /** resolves when nothing is in flight and no process is left */
  close(): Promise<void>;
}

/** Cycles that a node tells of. */
const mostCycles = 1000;
const file = "edge/src/collect/collect.ts";

/*
 *  set ─▶ groups ─▶ schedule ─▶ read ─▶ mapper process ─▶ results ─▶ bus
 *                      ▲  └─▶ bad rows ─────────────────────────────▶┘
 *                      └──────────── answered, published ◀───────────┘
 */
export function createCollect(options: CollectOptions): Collect {
  const collect = new Collector(options);
  return {
    apply: (set) => collect.apply(set),
    access: collect.access,
    mappersChanged: (names) => collect.mappersChanged(names),
    mappers: () => collect.mappers(),
    devices: () => collect.devices(),
    cycles: (reportMs) => collect.cycles(reportMs),
    lines: () => collect.lines(),
    close: () => collect.close(),
  };
}

class Collector {
  readonly access: DeviceAccess;
  readonly #options: CollectOptions;
  readonly #log: Log;
  readonly #metrics: ReturnType<typeof collectMetrics>;
  readonly #schedule = new Schedule();
  readonly #mappers = new Map<string, Mapper>();
  readonly #connections = new Map<ConnectionUid, EffectiveConnection>();
  readonly #devices = new Map<DeviceUid, { readonly device: EffectiveDevice; readonly groups: CollectGroup[] }>();
  readonly #groups = new Map<number, CollectGroup>();
  readonly #meters = new Map<number, CycleMeter>();
  readonly #uses = new Map<ConnectionUid, LineUse>();
  readonly #turns: LineTurns;
  readonly #begun = new Begun();
  readonly #dayClock: DayClock;
  /** one per group at most */
  readonly #publishing = new Set<Promise<void>>();
  #set: AssignedSet | null = null;
  #lastGroup = 0;
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null;
  #isClosed = false;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#log = options.log.with({ stage: "collect" });
    this.#metrics = collectMetrics(options.metrics);
    const find = (uid: DeviceUid) => {
      const device = this.#devices.get(uid)?.device;
      const connection = device && this.#connections.get(device.connection);
      const mapper = connection && this.#mappers.get(connection.protocol);
      return device && connection && mapper ? { device, connection, mapper } : null;
    };
    const { clock, wallOf } = options;
    this.#dayClock = new DayClock({ clock, wallOf, onDue: (group) => this.#run({ t: "due", group }) });
    this.#turns = new LineTurns({ run: (input) => this.#run(input), use: (connection) => this.#useOf(connection) });
    this.access = deviceAccess({ find, log: this.#log, turns: this.#turns, begun: this.#begun });
  }

  apply(set: AssignedSet): void {
    if (this.#isClosed) return;
    const { connections, devices } = diffAssigned(this.#set, set);
    this.#set = set;
    this.#dayClock.setTimeZone(set.node.timeZone);
    // A device whose connection changed is opened anew with it.
    const reopened = new Set([...connections.changed.map(({ uid }) => uid), ...connections.removed]);
    const touched = new Set([...devices.changed.map(({ uid }) => uid), ...devices.removed]);
    for (const { device } of this.#devices.values()) {
      if (touched.has(device.uid) || reopened.has(device.connection)) this.#removeDevice(device);
    }
    for (const uid of reopened) this.#removeConnection(this.#connections.get(uid)!);
    for (const connection of [...connections.added, ...connections.changed]) this.#addConnection(connection);
    for (const device of set.devices) if (!this.#devices.has(device.uid)) this.#addDevice(device);
    const wanted = new Set(set.connections.map(({ protocol }) => protocol));
    for (const mapper of this.#mappers.values()) mapper.want(wanted.has(mapper.name));
    this.#begun.begin();
  }

  mappersChanged(names: readonly string[]): void {
    if (this.#isClosed) return;
    for (const name of names) this.#mappers.get(name)?.renew();
  }

  mappers(): MapperStatus[] {
    return [...this.#mappers.values()].map((mapper) => mapper.status());
  }

  devices(): DeviceHealth[] {
    return this.#schedule.health();
  }

  cycles(reportMs: (layout: Layout) => number | null): CycleHealth[] {
    const now = this.#options.clock.monotonic();
    const all = [...this.#groups.values()].map(({ id, device, cadence, layout }): CycleHealth => {
      const health = this.#meters.get(id)!.health(now);
      return {
        ...{ device: device.uid, cadence, properties: layout.properties.length },
        ...{ ...health, reportMs: reportMs(layout) },
      };
    });
    return slowestCycles(all, mostCycles);
  }

  lines(): LineHealth[] {
    return this.#schedule.lines().map((line) => {
      const { percent, perSecond } = this.#useOf(line.connection).summary();
      return { ...line, loadPercent: percent, requestsPerSecond: perSecond };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#dayClock.close();
    this.#begun.end();
    this.#turns.close();
    await Promise.all([...this.#mappers.values()].map((mapper) => mapper.close()));
    await Promise.all(this.#publishing);
  }

  #addConnection(connection: EffectiveConnection): void {
    this.#connections.set(connection.uid, connection);
    const mapper = this.#mapperOf(connection.protocol);
    mapper.send(openMessage(connection));
    this.#run({ t: "settings", connection: connection.uid, settings: connection.line });
    this.#run({ t: "line", connection: connection.uid, line: lineOf(mapper) });
  }

  #removeConnection({ uid, protocol }: EffectiveConnection): void {
    this.#connections.delete(uid);
    this.#uses.delete(uid);
    this.#mappers.get(protocol)?.send({ t: "close", connection: uid });
    this.#run({ t: "remove-line", connection: uid });
  }

  #addDevice(device: EffectiveDevice): void {
    const connection = this.#connections.get(device.connection);
    if (connection === undefined) {
      throw new AppError(
        "resource/missing-reference",
        `Cannot collect "${device.name}": its connection is not assigned`,
      );
    }
    const groups = groupsOf(device, connection, () => ++this.#lastGroup);
    this.#devices.set(device.uid, { device, groups });
    const offlineAfterUs = device.offlineAfterMs === null ? null : device.offlineAfterMs * 1000;
    this.#run({ t: "add-device", device: device.uid, connection: connection.uid, offlineAfterUs });
    for (const group of groups) {
      this.#groups.set(group.id, group);
      this.#mappers.get(connection.protocol)?.send(groupMessage(group));
      const { id, cadence } = group;
      this.#meters.set(id, new CycleMeter(cadence));
      const everyUs = "everyMs" in cadence ? cadence.everyMs * 1000 : null;
      this.#run({ t: "add", group: { id, device: device.uid, connection: connection.uid, everyUs } });
      if ("atSeconds" in cadence) this.#dayClock.add(id, cadence.atSeconds);
    }
  }

  #removeDevice({ uid }: EffectiveDevice): void {
    const groups = this.#devices.get(uid)?.groups ?? [];
    this.#devices.delete(uid);
    this.#run({ t: "remove-device", device: uid });
    for (const group of groups) {
      this.#groups.delete(group.id);
      this.#meters.delete(group.id);
      this.#dayClock.remove(group.id);
      this.#mappers.get(group.connection.protocol)?.send({ t: "ungroup", group: group.id });
    }
  }

  #useOf(connection: ConnectionUid): LineUse {
    let use = this.#uses.get(connection);
    if (use === undefined) {
      use = new LineUse(this.#options.clock);
      this.#uses.set(connection, use);
    }
    return use;
  }

  #mapperOf(name: string): Mapper {
    let mapper = this.#mappers.get(name);
    if (mapper === undefined) {
      const { clock, processes, files, metrics, hostCommand: host, mapperFolders: folders } = this.#options;
      const log = this.#log;
      mapper = new Mapper({
        ...{ name, host, processes, clock, log, metrics },
        find: () => findMapper({ name, folders, files, log }),
        onUp: () => this.#mapperUp(name),
        onDown: (code, message) => this.#setLines(name, { state: "down", code, message }),
        onConnection: ({ connection, state, code, message }) => {
          const uid = connection as ConnectionUid; // ours, if it is one that we know
          if (this.#connections.get(uid)?.protocol !== name) return;
          const lost = {
            code: isErrorCode(code) ? code : "mapper/connection-lost",
            message: sayable(message ?? "Connection lost"),
          } as const;
          this.#run({ t: "connection", connection: uid, lost: state === "lost" ? lost : null });
        },
      });
      this.#mappers.set(name, mapper);
    }
    return mapper;
  }

  /** A fresh process knows nothing: everything is opened again, connections before the groups on them. */
  #mapperUp(name: string): void {
    const mapper = this.#mappers.get(name)!;
    for (const connection of this.#connections.values()) {
      if (connection.protocol === name) mapper.send(openMessage(connection));
    }
    for (const group of this.#groups.values()) {
      if (group.connection.protocol === name) mapper.send(groupMessage(group));
    }
    this.#setLines(name, { state: "up" });
  }

  #setLines(name: string, line: LineState): void {
    for (const { uid, protocol } of this.#connections.values()) {
      if (protocol === name) this.#run({ t: "line", connection: uid, line });
    }
  }

  #run(input: ScheduleInput): void {
    if (this.#isClosed) return;
    for (const effect of this.#schedule.step(input, this.#options.clock.monotonic())) this.#do(effect);
    this.#arm();
  }

  #arm(): void {
    const at = this.#schedule.nextAt();
    if (at === null || (this.#timer !== null && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const cancel = clock.after(Math.max(0, Math.ceil((at - clock.monotonic()) / 1000)), () => {
      this.#timer = null;
      this.#run({ t: "tick" });
    });
    this.#timer = { at, cancel };
  }

  #do(effect: ScheduleEffect): void {
    switch (effect.t) {
      case "read":
        void this.#read(this.#groups.get(effect.group)!);
        break;
      case "act":
        this.#turns.grant(effect.act);
        break;
      case "publish-bad":
        this.#publishBad(this.#groups.get(effect.group)!, effect.code);
        break;
      case "overrun": {
        this.#metrics.overruns.add(effect.cycles);
        this.#meters.get(effect.group)?.overran(this.#options.clock.monotonic(), effect);
        const device = this.#groups.get(effect.group)?.device.name;
        this.#log.debug({ reason: "collect/overrun", device, cycles: effect.cycles }, "Skipped cycles");
        break;
      }
      case "health":
        this.#logHealth(effect.health);
        break;
    }
  }

  async #read(group: CollectGroup): Promise<void> {
    const { clock, wallOf } = this.#options;
    const sentAt = clock.monotonic();
    this.#metrics.cycles.add();
    this.#meters.get(group.id)?.ran(sentAt);
    let batch: ReadingBatch;
    let trace: readonly TraceStep[] | undefined;
    try {
      const values = await this.#request(group);
      const { body } = values;
      trace = values.trace;
      const now = clock.monotonic();
      this.#metrics.readTime.observe((now - sentAt) / 1e6);
      batch = batchFromMapper({ layout: group.layout, body, sentAt, now, wallOf });
    } catch (error) {
      const code = codeOf(error);
      if (code === "internal") this.#log.error({ error, device: group.device.name }, "A read failed");
      this.#metrics.failures(code).add();
      const message = error instanceof Error ? error.message : String(error);
      this.#run({ t: "answered", group: group.id, outcome: { code, message, hasRows: false } });
      return;
    }
    const outcome = outcomeOf(batch);
    if (outcome.code !== null) this.#metrics.failures(outcome.code).add();
    const isOurs = this.#groups.has(group.id);
    this.#run({ t: "answered", group: group.id, outcome });
    if (!isOurs) return;
    if (this.#log.tracing) logSteps(this.#log, traceId(batch), trace);
    this.#publish(group, batch);
  }

  async #request(group: CollectGroup): Promise<Extract<MapperToAgent, { readonly t: "values" }>> {
    const mapper = this.#mapperOf(group.connection.protocol);
    const { running } = mapper;
    if (running === null) throw new AppError(mapper.trouble().code, mapper.trouble().message);
    const { uid, line } = group.connection;
    const { deadlineMs, end } = this.#useOf(uid).begin(budgetMs(line, group.points.length));
    const traced = this.#log.tracing ? { trace: true } : {};
    const ask = (id: number) => ({ t: "read", id, group: group.id, deadlineMs, ...traced }) as const;
    const answer = await running.request(ask, { deadlineMs }).finally(end);
    if (answer.t === "values" && answer.body instanceof Uint8Array) return answer;
    throw new AppError("mapper/bad-answer", `The mapper answered a read with "${answer.t}"`);
  }

  #publishBad(group: CollectGroup, code: ErrorCode): void {
    const { clock, wallOf } = this.#options;
    const batch = badBatch(group.layout, code, clock.monotonic(), wallOf);
    this.#metrics.badReadings.add(batch.count);
    this.#publish(group, batch);
  }

  /** The group takes its next cycle only after the bus has room: a slow consumer slows collection, it does not fill memory. */
  #publish(group: CollectGroup, batch: ReadingBatch): void {
    this.#metrics.readings.add(batch.count);
    if (this.#log.tracing) this.#log.trace({ file, id: traceId(batch), readings: batch.count }, "Read from the device");
    const published = this.#options.bus.publish(batch).then(() => {
      this.#publishing.delete(published);
      this.#run({ t: "published", group: group.id });
    });
    this.#publishing.add(published);
  }

  #logHealth({ device: uid, state, reason, message }: DeviceHealth): void {
    const device = this.#devices.get(uid)?.device.name ?? uid;
    if (state === "offline") this.#log.warn({ device, reason }, `Device is offline: ${message ?? reason}`);
    else this.#log.info({ device, reason }, `Device is ${state}`);
  }
}

function lineOf(mapper: Mapper): LineState {
  if (mapper.running !== null) return { state: "up" };
  const { state, reason, message } = mapper.status();
  if (state === "starting" || state === "stopped" || reason === null) return { state: "waiting" };
  return { state: "down", code: reason, message: message ?? "" };
}
