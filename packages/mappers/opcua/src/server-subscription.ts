import type { PointResult } from "@penstock/mapper-sdk";
import {
  type ClientSession,
  DataChangeNotification,
  DataType,
  DataValue,
  EventNotificationList,
  type MonitoredItemNotification,
  type NotificationData,
  type NotificationMessage,
  promoteOpaqueStructureInNotificationData,
  StatusChangeNotification,
  type StatusCode,
  sameDataValue,
  type Variant,
} from "node-opcua-client";
import { beginSequence, gone, keptAlive, received, type Sequence, type Step } from "./sequence.ts";

/** What the server was asked to watch, under the number that we gave it. */
export interface Item {
  /** called with each value of a node, or with the fields of each event, in their order */
  readonly take: (value: DataValue | readonly Variant[]) => PointResult;
  readonly each: (result: PointResult) => void;
  /** something before this value or event went, as the server says */
  readonly isBehind: (value: DataValue | readonly Variant[]) => boolean;
  /** changes were lost, and the next value shall say so */
  hasGap: boolean;
  /** what was told last, and whether the next may be that once more */
  last?: DataValue;
  mayRepeat?: boolean;
}
type Told = NonNullable<NotificationMessage["notificationData"]>;

/** One subscription at the server: its items, and its messages each once and in order. */
export class ServerSubscription {
  readonly id: number;
  readonly publishingMs: number;
  readonly keepAliveMs: number;
  readonly items = new Map<number, Item>();
  /** of those to whom its news go: null while they have room for more */
  readonly rooms = new Set<() => Promise<void> | null>();
  readonly #session: ClientSession;
  readonly #ended: (status: StatusCode) => void;
  #sequence: Sequence<Told> = beginSequence();
  /** messages whose structures the library does not know yet are decoded by asking the server */
  #tail: Promise<void> | null = null;

  constructor(options: {
    readonly id: number;
    readonly publishingMs: number;
    readonly keepAliveMs: number;
    readonly session: ClientSession;
    /** the server says that it is over */
    readonly ended: (status: StatusCode) => void;
  }) {
    this.id = options.id;
    this.publishingMs = options.publishingMs;
    this.keepAliveMs = options.keepAliveMs;
    this.#session = options.session;
    this.#ended = options.ended;
  }

  /** number of the next message */
  get due(): number {
    return this.#sequence.next;
  }

  /** later messages wait for the one that is due */
  get isHolding(): boolean {
    return this.#sequence.held.size > 0;
  }

  /** resolves when what has come is handed on */
  get settled(): Promise<void> | null {
    return this.#tail;
  }

  /** @returns numbers to be asked for again, and how many were given up */
  take({ sequenceNumber, notificationData }: NotificationMessage): Pick<Step<Told>, "missing" | "lost"> {
    const told = (notificationData ?? []).filter((part) => part !== null);
    return this.#step(
      told.length === 0
        ? keptAlive(this.#sequence, sequenceNumber)
        : received(this.#sequence, sequenceNumber, told as Told),
    );
  }

  /** The line was cut: some servers then tell the present values again, changed or not. */
  restored(): void {
    for (const item of this.items.values()) item.mayRepeat = true;
  }

  /** the server no longer has that message */
  gone(number: number): Pick<Step<Told>, "missing" | "lost"> {
    return this.#step(gone(this.#sequence, number));
  }

  #step(step: Step<Told>): Step<Told> {
    this.#sequence = step.state;
    if (step.lost > 0) this.#inOrder(() => this.#lost());
    for (const told of step.deliver) this.#deliver(told);
    return step;
  }

  /** What the messages held that are lost, nobody knows: it may have been of any item. */
  #lost(): void {
    for (const item of this.items.values()) item.hasGap = true;
  }

  #deliver(told: Told): void {
    if (!isOpaque(told)) {
      this.#inOrder(() => this.#hand(told));
      return;
    }
    this.#tail ??= Promise.resolve();
    this.#inOrder(() =>
      promoteOpaqueStructureInNotificationData(this.#session, told as NotificationData[])
        // What cannot be decoded is handed on as it came: bytes.
        .catch(() => {})
        .then(() => this.#hand(told)),
    );
  }

  /** at once, or behind what is still being decoded */
  #inOrder(work: () => void | Promise<void>): void {
    if (this.#tail === null) return void work();
    const tail: Promise<void> = this.#tail.then(work).then(() => {
      if (this.#tail === tail) this.#tail = null;
    });
    this.#tail = tail;
  }

  #hand(told: Told): void {
    for (const part of told) {
      if (part instanceof DataChangeNotification) {
        for (const { clientHandle, value } of inTime(part.monitoredItems ?? [])) this.#tell(clientHandle, value);
      } else if (part instanceof EventNotificationList) {
        for (const { clientHandle, eventFields } of part.events ?? []) this.#tell(clientHandle, eventFields ?? []);
      } else if (part instanceof StatusChangeNotification) {
        this.#ended(part.status);
      }
    }
  }

  #tell(handle: number, value: DataValue | readonly Variant[]): void {
    const item = this.items.get(handle);
    if (item === undefined || isRepeated(item, value)) return;
    if (item.isBehind(value)) item.hasGap = true;
    const result = item.take(value);
    // The value is right, and what led to it is not all there.
    const isFirstAfter = item.hasGap && result.value !== null;
    if (isFirstAfter) item.hasGap = false;
    item.each(isFirstAfter ? { ...result, quality: "uncertain", reason: "mapper/changes-lost" } : result);
  }
}

/** The same value of the same time once more is no change. */
function isRepeated(item: Item, value: DataValue | readonly Variant[]): boolean {
  if (!(value instanceof DataValue)) return false;
  const { last, mayRepeat } = item;
  item.last = value;
  item.mayRepeat = false;
  return mayRepeat === true && last !== undefined && value.sourceTimestamp !== null && sameDataValue(last, value);
}

/**
 * What a queue held of one item stands together in a message. Handed on like that, each change would be a batch of its own, in
 * the outbox and on the line; by time a batch holds one change of every item. An item's own order stays, whatever its clock does.
 */
function inTime(told: readonly MonitoredItemNotification[]): readonly MonitoredItemNotification[] {
  const handles = new Set<number>();
  for (const { clientHandle } of told) handles.add(clientHandle);
  if (handles.size === told.length) return told;
  const latest = new Map<number, number>();
  const dated = told.map((item) => {
    const { sourceTimestamp, serverTimestamp } = item.value;
    const before = latest.get(item.clientHandle) ?? Number.NEGATIVE_INFINITY;
    const at = Math.max(before, (sourceTimestamp ?? serverTimestamp)?.getTime() ?? before);
    latest.set(item.clientHandle, at);
    return { item, at };
  });
  return dated.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(({ item }) => item);
}

function isOpaque(told: Told): boolean {
  const isStructure = (variant: Variant | null | undefined) => variant?.dataType === DataType.ExtensionObject;
  return told.some((part) => {
    if (part instanceof DataChangeNotification) {
      return (part.monitoredItems ?? []).some(({ value }) => isStructure(value.value));
    }
    return (
      part instanceof EventNotificationList && (part.events ?? []).some((e) => (e.eventFields ?? []).some(isStructure))
    );
  });
}
