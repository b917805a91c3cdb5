import type {
  Browses,
  CallOptions,
  Calls,
  DriverClock,
  MapperConnection,
  MethodCall,
  OpenContext,
  Point,
  PointResult,
  SubscribeOptions,
  Subscribes,
  WritesAll,
} from "@penstock/mapper-sdk";
import { AppError, type BrowsedNode, codeOf, type Value } from "@penstock/model";
import {
  AttributeIds,
  CreateMonitoredItemsRequest,
  type ReadValueIdOptions,
  StatusCodes,
  TimestampsToReturn,
} from "node-opcua-client";
import { browseBelow } from "./browse.ts";
import { callMethod } from "./call-method.ts";
import { checkFits } from "./check-fits.ts";
import type { Address, ConnectionSettings, Method, Visitor } from "./fields.ts";
import { monitored } from "./monitored.ts";
import { NodeTypes } from "./node-types.ts";
import { numericRange } from "./numeric-range.ts";
import { Publisher } from "./publisher.ts";
import { rawServices } from "./raw-services.ts";
import { resultOf } from "./result-of.ts";
import type { ServerSubscription } from "./server-subscription.ts";
import { Session } from "./session.ts";
import { reasonOf } from "./status.ts";
import { toVariant } from "./to-variant.ts";

type OpcuaPoint = Point<Address, Visitor>;
type Write = { readonly point: OpcuaPoint; readonly value: Value };
/** What a point is read by, or why it cannot be. */
type Planned = ReadValueIdOptions | AppError;

const file = "mappers/opcua/src/connection.ts";

/** One server, spoken to in one session. */
export class OpcuaConnection
  implements
    MapperConnection<Address, Visitor>,
    WritesAll<Address, Visitor>,
    Subscribes<Address, Visitor>,
    Calls<Address, Method>,
    Browses
{
  readonly #session: Session;
  readonly #publisher: Publisher;
  readonly #types: NodeTypes;
  readonly #plans = new WeakMap<readonly OpcuaPoint[], readonly Planned[]>();
  readonly #clock: DriverClock;
  #nextHandle = 1;

  private constructor(session: Session, publisher: Publisher, clock: DriverClock) {
    this.#session = session;
    this.#clock = clock;
    this.#publisher = publisher;
    this.#types = new NodeTypes(session);
  }

  static async open(settings: ConnectionSettings, context: OpenContext): Promise<OpcuaConnection> {
    let publisher: Publisher | null = null;
    const session = await Session.open(settings, context, {
      cut: () => publisher?.cut(),
      restored: (isNew) => void publisher?.restored(isNew),
      over: (error) => {
        publisher?.close();
        context.lost(error);
      },
    });
    publisher = new Publisher({ session, clock: context.clock, log: context.log, holdMs: settings.holdMs });
    return new OpcuaConnection(session, publisher, context.clock);
  }

  async read(points: readonly OpcuaPoint[], { signal, trace }: CallOptions): Promise<readonly PointResult[]> {
    const plan = this.#plan(points);
    const results: PointResult[] = plan.map((planned) =>
      planned instanceof AppError ? { value: null, reason: planned.code } : { value: null, reason: "mapper/timeout" },
    );
    const rows = plan.flatMap((planned, row) => (planned instanceof AppError ? [] : [row]));
    for (const part of parts(rows, this.#session.maxPerCall)) {
      const nodes = part.map((row) => plan[row] as ReadValueIdOptions);
      const values = await this.#session.ask(`read ${nodes.length} nodes`, signal, (session) => session.read(nodes, 0));
      part.forEach((row, i) => {
        const value = values[i];
        results[row] =
          value === undefined ? { value: null, reason: "mapper/bad-answer" } : resultOf(points[row]!.type, value);
      });
    }
    trace?.(file, "The server answered with the nodes' values");
    return results;
  }

  async write(point: OpcuaPoint, value: Value, options: CallOptions): Promise<void> {
    const [outcome] = await this.writeAll([{ point, value }], options);
    if (outcome !== null && outcome !== undefined) throw outcome;
  }

  async writeAll(writes: readonly Write[], { signal, trace }: CallOptions): Promise<readonly (AppError | null)[]> {
    const outcomes: (AppError | null)[] = writes.map(({ point, value }) => unfit(point, value));
    const nodeIds = writes.map(({ point }, row) => {
      if (outcomes[row] !== null) return null;
      return orError(outcomes, row, () => this.#session.ids.parse(point.visitor.nodeId, point.address));
    });
    const types = await this.#types.of(
      nodeIds.filter((nodeId) => nodeId !== null),
      signal,
    );
    const ready = writes.flatMap(({ point, value }, row) => {
      const nodeId = nodeIds[row];
      if (nodeId === null || nodeId === undefined) return [];
      const node = orError(outcomes, row, () => {
        const type = types.get(nodeId.toString());
        if (type instanceof AppError) throw type;
        const { indexRange } = point.visitor;
        return {
          ...{ nodeId, attributeId: AttributeIds.Value, value: { value: toVariant(type!, value) } },
          ...(indexRange !== undefined && { indexRange: numericRange(indexRange) }),
        };
      });
      return node === null ? [] : [{ row, node }];
    });
    for (const part of parts(ready, this.#session.maxPerCall)) {
      const nodes = part.map(({ node }) => node);
      const statuses = await this.#session.ask(`write ${nodes.length} nodes`, signal, (session) =>
        session.write(nodes),
      );
      part.forEach(({ row, node }, i) => {
        const status = statuses[i] ?? StatusCodes.BadDecodingError;
        // Part 4, 5.11.4.4: GoodCompletesAsynchronously is taken as well
        if (status.isGood()) return;
        const text = `Cannot write "${writes[row]!.point.property}" to ${node.nodeId.toString()}: ${status.name}`;
        outcomes[row] = new AppError(reasonOf(status), text);
      });
    }
    trace?.(file, "The server took the values");
    return outcomes;
  }

  async subscribe(points: readonly OpcuaPoint[], options: SubscribeOptions): Promise<void> {
    const { signal, ended, each, trace } = options;
    const room = () => options.room?.() ?? null;
    const byInterval = new Map<number, number[]>();
    points.forEach(({ visitor: { publishing } }, row) => {
      byInterval.set(publishing, [...(byInterval.get(publishing) ?? []), row]);
    });
    const undo: (() => Promise<void>)[] = [];
    const end = () => void Promise.allSettled(undo.splice(0).map((step) => step()));
    try {
      const refused: AppError[] = [];
      for (const [publishing, rows] of byInterval) {
        const subscription = await this.#publisher.at(publishing, signal);
        subscription.rooms.add(room);
        undo.push(async () => void subscription.rooms.delete(room));
        for (const part of parts(rows, this.#session.maxPerCall)) {
          const made = await this.#watch(
            subscription,
            part.map((row) => ({ row, point: points[row]! })),
            { signal, each },
          );
          undo.push(made.end);
          refused.push(...made.refused);
        }
      }
      // Where nothing at all is watched, asking again later may help: the runner does.
      if (points.length > 0 && refused.length === points.length) throw refused[0]!;
    } catch (error) {
      end();
      throw error;
    }
    if (ended.aborted) return end();
    ended.addEventListener("abort", end, { once: true });
    trace?.(file, "The server watches the nodes");
  }

  async call(call: MethodCall<Address, Method>, options: CallOptions): Promise<Value> {
    const value = await callMethod(this.#session, this.#types, call, options.signal);
    options.trace?.(file, "The server called the method");
    return value;
  }

  browse(path: readonly string[], { signal }: CallOptions): Promise<readonly BrowsedNode[]> {
    return browseBelow(this.#session, this.#types, path, signal);
  }

  async close(): Promise<void> {
    this.#publisher.close();
    await this.#session.close();
  }

  async #watch(
    subscription: ServerSubscription,
    rows: readonly { readonly row: number; readonly point: OpcuaPoint }[],
    { signal, each }: Pick<SubscribeOptions, "signal" | "each">,
  ): Promise<{ readonly refused: readonly AppError[]; readonly end: () => Promise<void> }> {
    const begun = this.#clock.monotonic();
    const refused: AppError[] = [];
    const ids: number[] = [];
    const asked = rows.flatMap(({ row, point }) => {
      const handle = this.#nextHandle++;
      try {
        const { request, take, isBehind } = monitored(point, handle, this.#session.ids);
        const told = (result: PointResult) => each(row, result);
        const isEvent = point.visitor.event !== undefined;
        subscription.items.set(handle, {
          ...{ take, isBehind, hasGap: false },
          each: isEvent ? told : firstOf(begun, told),
        });
        return [{ row, handle, request, nodeId: point.visitor.nodeId }];
      } catch (error) {
        refused.push(asRefused(error));
        each(row, { value: null, reason: codeOf(error) });
        return [];
      }
    });
    const end = async () => {
      for (const { handle } of asked) subscription.items.delete(handle);
      if (!this.#session.isUp) return;
      if (subscription.items.size === 0) return this.#publisher.remove(subscription);
      const request = { subscriptionId: subscription.id, monitoredItemIds: ids };
      const never = new AbortController().signal;
      await this.#session
        .ask("unsubscribe", never, (session) => rawServices(session).deleteMonitoredItems(request))
        .catch(() => {});
    };
    if (asked.length === 0) return { refused, end };
    const request = new CreateMonitoredItemsRequest({
      subscriptionId: subscription.id,
      timestampsToReturn: TimestampsToReturn.Both,
      itemsToCreate: asked.map(({ request }) => request),
    });
    try {
      const what = `subscribe to ${asked.length} nodes`;
      const { results } = await this.#session.ask(what, signal, (session) =>
        rawServices(session).createMonitoredItems(request),
      );
      asked.forEach(({ row, handle, nodeId }, i) => {
        const status = results?.[i]?.statusCode ?? StatusCodes.BadDecodingError;
        if (status.isGood()) {
          ids.push(results![i]!.monitoredItemId);
          return;
        }
        subscription.items.delete(handle);
        const reason = reasonOf(status);
        refused.push(new AppError(reason, `Cannot subscribe to ${nodeId}: ${status.name}`));
        each(row, { value: null, reason });
      });
    } catch (error) {
      await end();
      throw error;
    }
    return { refused, end };
  }

  #plan(points: readonly OpcuaPoint[]): readonly Planned[] {
    let plan = this.#plans.get(points);
    if (plan === undefined) {
      plan = points.map((point) => this.#planned(point));
      this.#plans.set(points, plan);
    }
    return plan;
  }

  #planned({ visitor, address }: OpcuaPoint): Planned {
    const { nodeId, indexRange, event } = visitor;
    if (event !== undefined) return new AppError("mapper/unsupported", "Cannot read events: they are subscribed to");
    try {
      return {
        ...{ nodeId: this.#session.ids.parse(nodeId, address), attributeId: AttributeIds.Value },
        ...(indexRange !== undefined && { indexRange: numericRange(indexRange) }),
      };
    } catch (error) {
      return asRefused(error);
    }
  }
}

/**
 * The first value that a server tells is the present one, and may have been so for days: it is dated as one that was read when
 * it was subscribed to. By its own time it would stand behind the bad reading that the gap before has left, and the last
 * value would stay bad; by that of its arrival it could stand behind a change that came with it.
 */
function firstOf(begun: number, each: (result: PointResult) => void): (result: PointResult) => void {
  let isFirst = true;
  return (result) => {
    if (!isFirst) return each(result);
    isFirst = false;
    const { time: _, ...present } = result;
    each({ ...present, monotonic: begun });
  };
}

function unfit(point: OpcuaPoint, value: Value): AppError | null {
  try {
    checkFits(point.type, value);
    if (point.visitor.event === undefined) return null;
    return new AppError("mapper/unsupported", "Cannot write events");
  } catch (error) {
    return asRefused(error);
  }
}

function orError<T>(outcomes: (AppError | null)[], row: number, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    outcomes[row] = asRefused(error);
    return null;
  }
}

function asRefused(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}

function parts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
