import {
  AppError,
  type AssignedSet,
  type BrowsedNode,
  type Bus,
  type ConnectionUid,
  type CycleHealth,
  type DeviceAccess,
  type DeviceHealth,
  type DeviceUid,
  diffAssigned,
  type EffectiveConnection,
  type EffectiveDevice,
  isErrorCode,
  type Layout,
  type LineHealth,
  type MapperStatus,
  type ReadingBatch,
} from "@penstock/model";
import type { Cancel, ChildProcesses, Clock, Files, Log, Metrics } from "@penstock/runtime";
import { Begun } from "./begun.ts";
import { browse } from "./browse.ts";
import { collectMetrics } from "./collect-metrics.ts";
import { DayClock } from "./day-clock.ts";
import { deviceAccess } from "./device-access.ts";
import type { Dmi } from "./dmi/dmi.ts";
import { findMapper } from "./find-mapper.ts";
import { type CollectGroup, groupMessage, groupsOf, openMessage } from "./groups.ts";
import { LineTurns } from "./line-turns.ts";
import { LineUse } from "./line-use.ts";
import { type HostCommand, Mapper } from "./mapper.ts";
import { Polled } from "./polled.ts";
import type { WallOf } from "./results.ts";
import { sayable } from "./sayable.ts";
import { Schedule } from "./schedule.ts";
import type { LineState, ScheduleEffect, ScheduleInput } from "./schedule-types.ts";
import { Subscribed } from "./subscribed.ts";

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
  /** where each mapper gets a folder of its own */
  readonly mapperData: string;
  /** serves the protocols whose mappers register by themselves */
  readonly dmi?: Dmi;
}
export interface Collect {
  /** collects what the set says from now on; what did not change goes on undisturbed */
  apply(set: AssignedSet): void;
  readonly access: DeviceAccess;
  /** what the other end of a connection says that it has, below a path. @throws AppError resource/not-found, mapper/… */
  browse(connection: ConnectionUid, path: readonly string[]): Promise<BrowsedNode[]>;
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
    browse: (connection, path) => collect.browse(connection, path),
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
  readonly #schedule = new Schedule();
  readonly #mappers = new Map<string, Mapper>();
  readonly #connections = new Map<ConnectionUid, EffectiveConnection>();
  readonly #devices = new Map<DeviceUid, { readonly device: EffectiveDevice; readonly groups: CollectGroup[] }>();
  readonly #groups = new Map<number, CollectGroup>();
  readonly #uses = new Map<ConnectionUid, LineUse>();
  readonly #turns: LineTurns;
  readonly #begun = new Begun();
  readonly #dayClock: DayClock;
  readonly #polled: Polled;
  readonly #subscribed: Subscribed;
  /** of a group that is read one, of one that is subscribed to a few */
  readonly #publishing = new Set<Promise<void>>();
  #set: AssignedSet | null = null;
  #lastGroup = 0;
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null;
  #isClosed = false;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#log = options.log.with({ stage: "collect" });
    const find = (uid: DeviceUid) => {
      const device = this.#devices.get(uid)?.device;
      const connection = device && this.#connections.get(device.connection);
      const mapper = connection && this.#mappers.get(connection.protocol);
      return device && connection && mapper ? { device, connection, mapper } : null;
    };
    const { clock, wallOf } = options;
    this.#dayClock = new DayClock({ clock, wallOf, onDue: (group) => this.#run({ t: "due", group }) });
    this.#turns = new LineTurns({ run: (input) => this.#run(input), use: (connection) => this.#useOf(connection) });
    const common = {
      ...{ clock, wallOf, log: this.#log, metrics: collectMetrics(options.metrics) },
      group: (id: number) => this.#groups.get(id),
      use: (group: CollectGroup) => this.#useOf(group.connection.uid),
      publish: (batch: ReadingBatch) => this.#onBus(batch),
      run: (input: ScheduleInput) => this.#run(input),
    };
    this.#polled = new Polled(common);
    this.#subscribed = new Subscribed(common);
    this.access = deviceAccess({ find, log: this.#log, turns: this.#turns, begun: this.#begun });
    options.dmi?.onServed((protocol) => this.#served(protocol));
  }

  apply(set: AssignedSet): void {
    if (this.#isClosed) return;
    const { connections, devices } = diffAssigned(this.#set, set);
    this.#set = set;
    this.#options.dmi?.apply(set);
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

  async browse(uid: ConnectionUid, path: readonly string[]): Promise<BrowsedNode[]> {
    const connection = this.#connections.get(uid);
    const mapper = connection && this.#mappers.get(connection.protocol);
    if (!connection || !mapper) throw new AppError("resource/not-found", `Cannot browse: no connection "${uid}" here`);
    return browse({ connection, mapper }, path);
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
    return this.#polled.cycles(reportMs);
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

  /** A protocol whose mappers register by themselves has a running one, the first or again. */
  #served(protocol: string): void {
    if (this.#isClosed) return;
    // Devices that were waiting for an installed mapper are told by this one instead of read.
    const isPolled = ({ device, groups }: { readonly device: EffectiveDevice; readonly groups: CollectGroup[] }) =>
      this.#connections.get(device.connection)?.protocol === protocol &&
      groups.some(({ collection }) => !("subscribe" in collection));
    for (const { device } of [...this.#devices.values()].filter(isPolled)) {
      this.#removeDevice(device);
      this.#addDevice(device);
    }
    this.#mappers.get(protocol)?.renew();
  }

  #addDevice(device: EffectiveDevice): void {
    const connection = this.#connections.get(device.connection);
    if (connection === undefined) {
      throw new AppError(
        "resource/missing-reference",
        `Cannot collect "${device.name}": its connection is not assigned`,
      );
    }
    const isTold = this.#options.dmi?.serves(connection.protocol) === true;
    const groups = groupsOf(isTold ? told(device) : device, connection, () => ++this.#lastGroup);
    this.#devices.set(device.uid, { device, groups });
    const offlineAfterUs = device.offlineAfterMs === null ? null : device.offlineAfterMs * 1000;
    this.#run({ t: "add-device", device: device.uid, connection: connection.uid, offlineAfterUs });
    for (const group of groups) {
      this.#groups.set(group.id, group);
      this.#mappers.get(connection.protocol)?.send(groupMessage(group));
      const { id, collection } = group;
      const isSubscribed = "subscribe" in collection;
      this.#polled.add(group);
      const everyUs = "everyMs" in collection ? collection.everyMs * 1000 : null;
      this.#run({ t: "add", group: { id, device: device.uid, connection: connection.uid, everyUs, isSubscribed } });
      if ("atSeconds" in collection) this.#dayClock.add(id, collection.atSeconds);
    }
  }

  #removeDevice({ uid }: EffectiveDevice): void {
    const groups = this.#devices.get(uid)?.groups ?? [];
    this.#devices.delete(uid);
    this.#run({ t: "remove-device", device: uid });
    for (const group of groups) {
      this.#groups.delete(group.id);
      this.#polled.remove(group.id);
      this.#dayClock.remove(group.id);
      this.#subscribed.removed(group.id);
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
      const { clock, processes, files, metrics, hostCommand: host, mapperFolders: folders, mapperData } = this.#options;
      const log = this.#log;
      const dmi = () => (this.#options.dmi?.serves(name) === true ? this.#options.dmi : null);
      mapper = new Mapper({
        ...{ name, host, folder: `${mapperData}/${name}`, clock, log, metrics },
        processes: { spawn: (program) => (dmi()?.processes(name) ?? processes).spawn(program) },
        find: () => dmi()?.find(name) ?? findMapper({ name, folders, files, log }),
        onUp: () => this.#mapperUp(name),
        onDown: (code, message) => this.#setLines(name, { state: "down", code, message }),
        onNews: (message, of) => this.#subscribed.take(message, of),
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
        this.#begin(this.#groups.get(effect.group)!);
        break;
      case "act":
        this.#turns.grant(effect.act);
        break;
      case "publish-bad":
        this.#polled.publishBad(this.#groups.get(effect.group)!, effect.code);
        break;
      case "overrun":
        this.#polled.overran(effect);
        break;
      case "health":
        this.#logHealth(effect.health);
        break;
    }
  }

  #begin(group: CollectGroup): void {
    const mapper = this.#mapperOf(group.connection.protocol);
    void ("subscribe" in group.collection ? this.#subscribed.begin(group, mapper) : this.#polled.read(group, mapper));
  }

  #onBus(batch: ReadingBatch): Promise<void> {
    const published = this.#options.bus.publish(batch).finally(() => this.#publishing.delete(published));
    this.#publishing.add(published);
    return published;
  }

  #logHealth({ device: uid, state, reason, message }: DeviceHealth): void {
    const device = this.#devices.get(uid)?.device.name ?? uid;
    if (state === "offline") this.#log.warn({ device, reason }, `Device is offline: ${message ?? reason}`);
    else this.#log.info({ device, reason }, `Device is ${state}`);
  }
}

/** A mapper that reports by itself is asked for nothing: its cycles are its own, as it was told them. */
function told(device: EffectiveDevice): EffectiveDevice {
  const properties = device.properties.map((property) =>
    property.collect === null ? property : { ...property, collect: { subscribe: true } as const },
  );
  return { ...device, properties };
}

function lineOf(mapper: Mapper): LineState {
  if (mapper.running !== null) return { state: "up" };
  const { state, reason, message } = mapper.status();
  if (state === "starting" || state === "stopped" || reason === null) return { state: "waiting" };
  return { state: "down", code: reason, message: message ?? "" };
}
