import {
  browses,
  calls,
  checkSettings,
  type Mapper,
  type MapperConnection,
  type Point,
  readsInto,
  withDefaults,
  writesAll,
} from "@penstock/mapper-sdk";
import { AppError, codeOf, type ErrorCode, invalid, limits, sameData, type Value } from "@penstock/model";
import type { Clock, Random } from "@penstock/runtime";
import { type AgentToMapper, type MapperToAgent, mapperProtocol, type PointSpec } from "@penstock/wire";
import { checkedPoint, checkedPoints } from "./checked-points.ts";
import { withDeadline } from "./deadline.ts";
import { driverLog } from "./driver-log.ts";
import { followed } from "./followed.ts";
import { GroupRows, openSink } from "./group-rows.ts";
import { asAppError, HostConnection } from "./host-connection.ts";
import { type SubscribedGroup, Subscriptions } from "./subscriptions.ts";

export interface MapperHostOptions {
  readonly mapper: Mapper;
  readonly clock: Clock;
  readonly random: Random;
  readonly pid: number;
  /** what the mapper may keep; exists */
  readonly folder: string;
  readonly send: (message: MapperToAgent) => void;
}

const file = "mapper-host/src/host.ts";

type Message<T extends AgentToMapper["t"]> = Extract<AgentToMapper, { t: T }>;

/** A group as it was announced, with all that need not be done again for each read. */
interface Group extends SubscribedGroup {
  readonly rows: GroupRows;
  isReading: boolean;
}

/**
 * Runs one mapper for one agent: connections, groups, reads and writes as the messages say. Every `read`, `write` and
 * `read-point` gets exactly one answer, at the latest at its deadline.
 */
export class MapperHost {
  readonly #options: MapperHostOptions;
  readonly #log;
  readonly #connections = new Map<string, HostConnection>();
  readonly #groups = new Map<number, Group>();
  readonly #subscriptions: Subscriptions;

  constructor(options: MapperHostOptions) {
    this.#options = options;
    this.#log = driverLog(options);
    this.#subscriptions = new Subscriptions(options);
  }

  start(): void {
    const { mapper, pid, send } = this.#options;
    send({ t: "hello", protocol: mapperProtocol, name: mapper.name, version: mapper.version, pid });
  }

  /** `stop` is the runner's own; messages that a later version adds are ignored */
  handle(message: AgentToMapper): void {
    switch (message.t) {
      case "open":
        this.#open(message);
        return;
      case "close":
        this.#close(message.connection);
        return;
      case "group":
        this.#subscriptions.end(message.group);
        this.#groups.set(message.group, this.#newGroup(message));
        return;
      case "ungroup":
        this.#subscriptions.end(message.group);
        this.#groups.delete(message.group);
        return;
      case "subscribe":
        this.#answer(message.id, `subscribe to group ${message.group}`, () => this.#subscribe(message));
        return;
      case "taken":
        this.#subscriptions.taken(message.group);
        return;
      case "browse":
        this.#answer(message.id, "browse", () => this.#browse(message));
        return;
      case "read":
        this.#answer(message.id, `read group ${message.group}`, () => this.#read(message));
        return;
      case "write":
        this.#answer(message.id, `write ${namesOf(message.points)}`, () => this.#write(message));
        return;
      case "call":
        this.#answer(message.id, `call "${message.method}"`, () => this.#call(message));
        return;
      case "read-point":
        this.#answer(message.id, `read "${message.point.property}"`, () => this.#readPoint(message));
        return;
      case "ping":
        this.#options.send({ t: "pong", n: message.n });
        return;
      case "stop":
        return;
    }
  }

  /** Resolves when every connection has been closed. */
  async close(): Promise<void> {
    this.#subscriptions.endAll();
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    this.#connections.clear();
  }

  #open({ connection: name, settings, line }: Message<"open">): void {
    const known = this.#connections.get(name);
    if (known !== undefined && sameData([known.settings, known.line], [settings, line])) return;
    this.#close(name);
    const { mapper, clock, random, folder, send } = this.#options;
    const ended = (error: AppError) => this.#subscriptions.connectionEnded(name, error);
    const changed = (error: AppError | null) =>
      send({
        t: "connection",
        connection: name,
        state: error === null ? "connected" : "lost",
        code: error?.code ?? null,
        message: error?.message ?? null,
      });
    const connection = new HostConnection({
      ...{ name, settings, line, mapper, clock, random, folder, ended, changed },
      log: this.#log,
    });
    this.#connections.set(name, connection);
  }

  #close(name: string): void {
    const known = this.#connections.get(name);
    this.#connections.delete(name);
    known?.close();
  }

  #newGroup(message: Message<"group">): Group {
    const { connection, device, points: specs } = message;
    const { points, rowOf, invalidRows, wrong } = checkedPoints(this.#options.mapper, message, specs);
    if (wrong.length > 0) {
      this.#log.warn({ device, points: invalidRows.length }, invalid(wrong.slice(0, 5)).message);
    }
    const rows = new GroupRows(device, specs);
    return { connection, device, specs, rows, points, rowOf, invalidRows, isReading: false };
  }

  async #read({ id, group: number, deadlineMs, trace: isTraced }: Message<"read">): Promise<MapperToAgent> {
    const { clock } = this.#options;
    const group = this.#groups.get(number);
    if (group === undefined) throw new AppError("input/invalid", `Cannot read group ${number}: never announced`);
    if (group.isReading) throw new AppError("collect/overrun", `Cannot read group ${number}: still being read`);
    const { rows, points, rowOf } = group;
    const follow = followed(file, isTraced);
    group.isReading = true;
    rows.begin();
    for (const row of group.invalidRows) rows.bad(row, "input/invalid", clock.monotonic());
    const { sink, close } = openSink({ rows, rowOf, now: clock.monotonic() });
    try {
      await this.#using(group.connection, { deadlineMs, what: `read group ${number}` }, async (connection, signal) => {
        if (readsInto(connection)) return connection.readInto(points, sink, { signal, ...follow.call });
        const results = await connection.read(points, { signal, ...follow.call });
        if (signal.aborted) return;
        const now = clock.monotonic();
        results.forEach((result, i) => {
          const row = rowOf[i];
          if (row !== undefined) rows.take(row, result, now);
        });
      });
      rows.fill("mapper/timeout", clock.monotonic());
    } catch (error) {
      rows.fill(codeOf(error), clock.monotonic());
    } finally {
      close();
      group.isReading = false;
    }
    follow.step("Values became rows with time and quality");
    return { t: "values", id, body: rows.encode(), ...follow.answer };
  }

  async #subscribe({ id, group: number, deadlineMs, trace: isTraced }: Message<"subscribe">): Promise<MapperToAgent> {
    const group = this.#groups.get(number);
    if (group === undefined)
      throw new AppError("input/invalid", `Cannot subscribe to group ${number}: never announced`);
    const follow = followed(file, isTraced);
    const what = `subscribe to group ${number}`;
    await this.#subscriptions.begin(number, group, (work) =>
      this.#using(group.connection, { deadlineMs, what }, (connection, signal) =>
        work(connection, { signal, ...follow.call }),
      ),
    );
    return { t: "subscribed", id, ...follow.answer };
  }

  async #browse({ id, connection: name, path, deadlineMs }: Message<"browse">): Promise<MapperToAgent> {
    const nodes = await this.#using(name, { deadlineMs, what: "browse" }, (connection, signal) => {
      if (!browses(connection))
        throw new AppError("mapper/unsupported", "Cannot browse: its devices do not say what they have");
      return connection.browse(path, { signal });
    });
    return { t: "browsed", id, nodes: nodes.slice(0, limits.browsedNodes).map((node) => ({ ...node })) };
  }

  async #write(message: Message<"write">): Promise<MapperToAgent> {
    const { id, connection: name, points, values, deadlineMs } = message;
    if (points.length !== values.length) {
      throw new AppError("input/invalid", `Cannot write ${points.length} points: ${values.length} values came`);
    }
    const outcomes: (AppError | null)[] = points.map(() => null);
    const writes: { readonly row: number; readonly point: Point; readonly value: Value }[] = [];
    points.forEach((spec, row) => {
      const { point, fields } = checkedPoint(this.#options.mapper, message, spec);
      if (point === null) outcomes[row] = invalid(fields);
      else writes.push({ row, point, value: values[row]! });
    });
    const follow = followed(file, message.trace);
    follow.step("Write came");
    const what = `write ${namesOf(points)}`;
    const ended = new Set<number>();
    const work = async (connection: MapperConnection, signal: AbortSignal) => {
      const call = { signal, ...follow.call };
      if (writesAll(connection) && writes.length > 1) {
        const made = await connection.writeAll(writes, call);
        writes.forEach(({ row }, i) => {
          const outcome = made[i];
          outcomes[row] =
            outcome === undefined ? new AppError("mapper/bad-answer", `Cannot ${what}: no outcome`) : outcome;
        });
        return;
      }
      for (const { row, point, value } of writes) {
        if (signal.aborted) return;
        try {
          await connection.write(point, value, call);
        } catch (error) {
          // Of one write this is the answer; and with the connection all that follow are lost as well.
          if (writes.length === 1 || codeOf(error) === "mapper/connection-lost") throw error;
          outcomes[row] = asAppError(error, `Cannot write "${point.property}"`);
        }
        ended.add(row);
      }
    };
    try {
      if (writes.length > 0) await this.#using(name, { deadlineMs, what }, work);
    } catch (error) {
      // What the device has taken is taken, though the connection or the time ended before the rest.
      if (![...ended].some((row) => outcomes[row] === null)) throw error;
      for (const { row } of writes) if (!ended.has(row)) outcomes[row] = asAppError(error, `Cannot ${what}`);
    }
    return { t: "written", id, outcomes: outcomes.map(told), ...follow.answer };
  }

  async #call(message: Message<"call">): Promise<MapperToAgent> {
    const { id, connection: name, device, address, method, result, deadlineMs, custom: deviceCustom = {} } = message;
    const { mapper } = this.#options;
    if (mapper.method === null)
      throw new AppError("mapper/unsupported", `Cannot call "${method}": the mapper has no methods`);
    const fields = checkSettings(
      mapper,
      { address, method: message.visitor },
      {
        address: "spec.address",
        method: `spec.methods.${method}.visitor`,
      },
    );
    if (fields.length > 0) throw invalid(fields);
    const request = {
      ...{ device, method, result, deviceCustom, arguments: message.arguments },
      address: withDefaults(mapper.address, address),
      visitor: withDefaults(mapper.method, message.visitor),
    };
    const follow = followed(file, message.trace);
    follow.step("Call came");
    const value = await this.#using(name, { deadlineMs, what: `call "${method}"` }, (connection, signal) => {
      if (!calls(connection))
        throw new AppError("mapper/unsupported", `Cannot call "${method}": the connection has no methods`);
      return connection.call(request, { signal, ...follow.call });
    });
    return { t: "called", id, value, ...follow.answer };
  }

  async #readPoint(message: Message<"read-point">): Promise<MapperToAgent> {
    const { id, connection: name, point: spec, deadlineMs } = message;
    const { point, fields } = checkedPoint(this.#options.mapper, message, spec);
    if (point === null) throw invalid(fields);
    const what = `read "${spec.property}"`;
    const follow = followed(file, message.trace);
    const results = await this.#using(name, { deadlineMs, what }, (connection, signal) =>
      connection.read([point], { signal, ...follow.call }),
    );
    follow.step("Value was read back");
    const result = results[0];
    const value: Value = result?.value ?? null;
    const reason = result?.reason ?? (value === null ? "mapper/bad-answer" : null);
    return { t: "point", id, value, reason, ...follow.answer };
  }

  /** Works on a connection within a deadline, and draws the conclusions for the connection from how it ends. */
  #using<T>(
    name: string,
    options: { deadlineMs: number; what: string },
    work: (connection: MapperConnection, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const known = this.#connections.get(name);
    if (known === undefined) {
      return Promise.reject(
        new AppError("input/invalid", `Cannot ${options.what}: connection "${name}" never announced`),
      );
    }
    return withDeadline({ clock: this.#options.clock, ...options }, async (signal) => {
      const connection = await known.use(signal);
      try {
        const result = await work(connection, signal);
        known.worked();
        return result;
      } catch (error) {
        if (error instanceof AppError && error.code === "mapper/connection-lost") known.lose(connection, error);
        throw error;
      }
    });
  }

  #answer(id: number, what: string, work: () => Promise<MapperToAgent>): void {
    const { send } = this.#options;
    work().then(send, (cause: unknown) => {
      const error = asAppError(cause, `Cannot ${what}`);
      if (error.code === "internal") this.#log.error({ error: String(cause) }, error.message);
      send({ t: "failed", id, code: error.code, message: error.message });
    });
  }
}

function told(outcome: AppError | null): { readonly code: ErrorCode; readonly message: string } | null {
  return outcome === null ? null : { code: outcome.code, message: outcome.message };
}

/** for messages: the first few */
function namesOf(points: readonly PointSpec[]): string {
  const named = points.slice(0, 3).map(({ property }) => `"${property}"`);
  return points.length > 3 ? `${named.join(", ")} and ${points.length - 3} more` : named.join(", ");
}
