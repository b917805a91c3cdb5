import {
  AppError,
  type ConnectionUid,
  codeOf,
  type DeviceUid,
  type ErrorCode,
  sameValue,
  type Value,
  type ValueType,
} from "@penstock/model";
import type { BytePipe, Cancel, Child, ChildExit, Clock } from "@penstock/runtime";
import {
  type AgentToMapper,
  encodeMapperFrame,
  MapperFrameReader,
  type MapperToAgent,
  mapperProtocol,
} from "@penstock/wire";
import { NewsQueue, type ReportedRow } from "./news-queue.ts";

type Message<T extends AgentToMapper["t"]> = Extract<AgentToMapper, { readonly t: T }>;
export interface ChildWrite {
  readonly property: string;
  readonly type: ValueType;
  readonly value: Value;
}
export interface DmiChildOptions {
  readonly protocol: string;
  readonly clock: Clock;
  /** why nobody serves the connection now; null = somebody does */
  trouble(connection: ConnectionUid): { readonly code: ErrorCode; readonly message: string } | null;
  /** milliseconds between two looks of the mapper at a property */
  cycleMs(device: DeviceUid, property: string): number;
  write(device: DeviceUid, writes: readonly ChildWrite[]): Promise<void>;
  /** so many reported values have no taker any more */
  onLost(values: number): void;
}

interface Group {
  readonly message: Message<"group">;
  readonly queue: NewsQueue;
  /** monotonic microseconds of the last report of each property, or since when one is expected */
  readonly heardAt: Map<string, number>;
  readonly stale: Set<string>;
  isSubscribed: boolean;
  /** its rows were told to be bad, and no report has come since */
  isBad: boolean;
}
interface LastReport {
  readonly value: Value;
  readonly reason: ErrorCode | null;
  readonly at: number;
}
type Waiting = (report: LastReport) => void;

const lookEveryMs = 1000;
/** A property is overdue after so many of its cycles, and never sooner than after this much more than one. */
const overdue = { cycles: 3, moreMs: 10_000 } as const;

/**
 * The DMI mappers of one protocol, as collect sees them: one mapper process whose devices tell their values by themselves.
 * It lives in the agent and speaks the frames of any mapper, so that presence, quality, bounds and writes are those of all.
 */
export class DmiChild implements Child {
  readonly pid = null;
  readonly pipe: BytePipe;
  readonly #options: DmiChildOptions;
  readonly #reader = new MapperFrameReader<AgentToMapper>();
  readonly #connections = new Map<ConnectionUid, string | null>();
  readonly #groups = new Map<number, Group>();
  readonly #byDevice = new Map<string, Set<Group>>();
  readonly #last = new Map<string, LastReport>();
  readonly #writtenAt = new Map<string, { readonly value: Value; readonly at: number }>();
  readonly #waiting = new Map<string, Set<Waiting>>();
  #toAgent: (bytes: Uint8Array) => void = () => {};
  #onExit: (exit: ChildExit) => void = () => {};
  #timer: Cancel = () => {};
  #isEnding = false;
  #isGone = false;

  constructor(options: DmiChildOptions) {
    this.#options = options;
    this.pipe = {
      queuedBytes: 0,
      write: (bytes) => {
        if (!this.#isEnding) for (const message of this.#reader.push(bytes)) this.#take(message);
      },
      onData: (listener) => {
        this.#toAgent = listener;
        this.#say({ t: "hello", protocol: mapperProtocol, name: options.protocol, version: "dmi", pid: process.pid });
      },
      onClose: () => {},
      close: () => {},
    };
    this.#look();
  }

  onLine(): void {}

  onExit(listener: (exit: ChildExit) => void): void {
    this.#onExit = listener;
  }

  kill(): void {
    this.exit("ended");
  }

  /** None of the protocol's mappers runs any more, or nobody wants them. What they have told is said first. */
  exit(message: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#timer();
    for (const group of this.#groups.values()) this.#close(group, true);
    queueMicrotask(() => {
      this.#isGone = true;
      this.#onExit({ code: null, signal: null, error: new Error(message) });
    });
  }

  /** Which connections are served is other than before. */
  servedChanged(): void {
    for (const connection of this.#connections.keys()) this.#tell(connection);
  }

  /** A value of a device, from whichever mapper. */
  report(device: DeviceUid, row: ReportedRow): void {
    if (this.#isEnding) {
      this.#options.onLost(1);
      return;
    }
    const at = this.#options.clock.monotonic();
    const key = `${device}/${row.property}`;
    const report: LastReport = { value: row.value, reason: row.reason, at };
    this.#last.set(key, report);
    for (const waiting of this.#waiting.get(key) ?? []) waiting(report);
    for (const group of this.#byDevice.get(device) ?? []) {
      if (!group.heardAt.has(row.property)) continue;
      group.heardAt.set(row.property, at);
      group.stale.delete(row.property);
      if (row.reason === null) group.isBad = false;
      group.queue.add(row);
    }
  }

  /** The mapper says that a device is there no more; what it says next is good again. */
  deviceGone(device: DeviceUid, reason: ErrorCode): void {
    for (const group of this.#byDevice.get(device) ?? []) this.#allBad(group, reason);
  }

  #take(message: AgentToMapper): void {
    switch (message.t) {
      case "open":
        this.#connections.set(message.connection as ConnectionUid, null); // the agent's own
        this.#tell(message.connection as ConnectionUid);
        return;
      case "close":
        this.#connections.delete(message.connection as ConnectionUid);
        return;
      case "group":
        this.#addGroup(message);
        return;
      case "ungroup":
        this.#removeGroup(message.group);
        return;
      case "subscribe": {
        this.#say({ t: "subscribed", id: message.id });
        const group = this.#groups.get(message.group);
        if (group !== undefined) this.#subscribed(group);
        return;
      }
      case "taken":
        this.#groups.get(message.group)?.queue.taken();
        return;
      case "write":
        void this.#answer(message.id, () => this.#write(message));
        return;
      case "read-point":
        void this.#answer(message.id, () => this.#readPoint(message));
        return;
      case "ping":
        this.#say({ t: "pong", n: message.n });
        return;
      case "stop":
        this.exit("stopped");
        return;
      case "read":
      case "call":
      case "browse":
        void this.#answer(message.id, () =>
          Promise.reject(new AppError("mapper/unsupported", "Mappers that speak DMI cannot be asked this")),
        );
        return;
      default:
        message satisfies never;
    }
  }

  #addGroup(message: Message<"group">): void {
    this.#removeGroup(message.group);
    const { group: number, device, points } = message;
    const now = this.#options.clock.monotonic();
    const queue = new NewsQueue({
      ...{ group: number, device, points, clock: this.#options.clock },
      send: (news) => this.#say(news),
    });
    const heardAt = new Map(points.map(({ property }) => [property, now]));
    const group = { message, queue, heardAt, stale: new Set<string>(), isSubscribed: false, isBad: false };
    this.#groups.set(number, group);
    const ofDevice = this.#byDevice.get(device) ?? new Set();
    this.#byDevice.set(device, ofDevice.add(group));
  }

  #subscribed(group: Group): void {
    const { connection } = group.message;
    group.isSubscribed = true;
    // A mapper does not wait for us: what it has reported by now is told as the first values.
    group.queue.open();
    if (this.#connections.get(connection as ConnectionUid) !== null) this.#allBad(group, "mapper/connection-lost");
  }

  #removeGroup(number: number): void {
    const group = this.#groups.get(number);
    if (group === undefined) return;
    const { device } = group.message;
    this.#groups.delete(number);
    this.#close(group, false);
    const ofDevice = this.#byDevice.get(device);
    ofDevice?.delete(group);
    if (ofDevice?.size !== 0) return;
    this.#byDevice.delete(device);
    for (const kept of [this.#last, this.#writtenAt]) {
      for (const key of kept.keys()) if (key.startsWith(`${device}/`)) kept.delete(key);
    }
  }

  #close({ queue }: Group, isHeard: boolean): void {
    const lost = queue.close({ isHeard });
    if (lost > 0) this.#options.onLost(lost);
  }

  /** Says what a connection's state is, once for each change. */
  #tell(connection: ConnectionUid): void {
    const trouble = this.#options.trouble(connection);
    const said = trouble === null ? null : `${trouble.code} ${trouble.message}`;
    if (this.#connections.get(connection) === said) return;
    this.#connections.set(connection, said);
    const groups = [...this.#groups.values()].filter(({ message }) => message.connection === connection);
    const now = this.#options.clock.monotonic();
    for (const { heardAt } of trouble === null ? groups : []) for (const name of heardAt.keys()) heardAt.set(name, now);
    this.#say({
      t: "connection",
      connection,
      state: trouble === null ? "connected" : "lost",
      code: trouble?.code ?? null,
      message: trouble?.message ?? null,
    });
    if (trouble !== null) for (const group of groups) this.#allBad(group, "mapper/connection-lost");
  }

  #allBad(group: Group, reason: ErrorCode): void {
    if (group.isBad || !group.isSubscribed) return;
    group.isBad = true;
    for (const property of group.heardAt.keys()) group.queue.add({ property, value: null, reason, time: null });
  }

  /** A property that its mapper should long have reported has no value that could be taken for the present one. */
  #look(): void {
    const now = this.#options.clock.monotonic();
    for (const { message, heardAt, stale, queue, isSubscribed, isBad } of this.#groups.values()) {
      if (!isSubscribed || isBad) continue;
      for (const [property, at] of heardAt) {
        if (stale.has(property)) continue;
        const cycleMs = this.#options.cycleMs(message.device as DeviceUid, property); // the agent's own
        const patienceMs = Math.max(overdue.cycles * cycleMs, cycleMs + overdue.moreMs);
        if (now - at < patienceMs * 1000) continue;
        stale.add(property);
        queue.add({ property, value: null, reason: "mapper/timeout", time: null });
      }
    }
    this.#timer = this.#options.clock.after(lookEveryMs, () => this.#look());
  }

  async #write({ id, device, connection, points, values }: Message<"write">): Promise<MapperToAgent> {
    const uid = device as DeviceUid; // the agent's own
    const trouble = this.#options.trouble(connection as ConnectionUid);
    if (trouble !== null) throw new AppError(trouble.code, trouble.message);
    const writes = points.map(({ property, type }, i) => ({ property, type, value: values[i] ?? null }));
    await this.#options.write(uid, writes);
    const at = this.#options.clock.monotonic();
    for (const { property, value } of writes) this.#writtenAt.set(`${device}/${property}`, { value, at });
    return { t: "written", id, outcomes: points.map(() => null) };
  }

  /**
   * What the mapper reports next, or has reported since the last write. After a write the value that was written is waited
   * for as long as there is time: a report from before may still be on its way.
   */
  async #readPoint({ id, device, point, deadlineMs }: Message<"read-point">): Promise<MapperToAgent> {
    const { clock } = this.#options;
    const key = `${device}/${point.property}`;
    const written = this.#writtenAt.get(key);
    const isProof = ({ value }: LastReport) => written === undefined || sameValue(value, written.value);
    const known = this.#last.get(key);
    let newest = known !== undefined && known.at >= (written?.at ?? 0) ? known : null;
    if (newest === null || !isProof(newest)) {
      newest = await new Promise<LastReport | null>((resolve) => {
        let found = newest;
        const waiting = this.#waiting.get(key) ?? new Set();
        this.#waiting.set(key, waiting);
        const end = () => {
          cancel();
          waiting.delete(take);
          if (waiting.size === 0) this.#waiting.delete(key);
          resolve(found);
        };
        const take = (report: LastReport) => {
          found = report;
          if (isProof(report)) end();
        };
        const cancel = clock.after(deadlineMs, end);
        waiting.add(take);
      });
    }
    if (newest === null)
      throw new AppError("mapper/timeout", `No report of "${point.property}" within ${deadlineMs} ms`);
    const { value, reason } = newest;
    return { t: "point", id, value, reason };
  }

  async #answer(id: number, work: () => Promise<MapperToAgent>): Promise<void> {
    try {
      this.#say(await work());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#say({ t: "failed", id, code: codeOf(error), message });
    }
  }

  /** In order, and never within the call that gave rise to it. */
  #say(message: MapperToAgent): void {
    const bytes = encodeMapperFrame(message);
    queueMicrotask(() => {
      if (!this.#isGone) this.#toAgent(bytes);
    });
  }
}
