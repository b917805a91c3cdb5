import type {
  AppError,
  BrowsedNode,
  ErrorCode,
  ExactJson,
  LineSettings,
  Quality,
  Value,
  ValueType,
} from "@penstock/model";

/** Versions of this contract that the kit speaks. */
export const sdkVersion = { min: 1, max: 1 } as const;

/** Time, as a driver may know it: never the wall's. */
export interface DriverClock {
  /** microseconds of a clock that nobody sets */
  monotonic(): number;
  /** calls `run` once after `delayMs`, unless the returned function is called before */
  after(delayMs: number, run: () => void): () => void;
}
export type DriverLogFields = Readonly<Record<string, unknown>>;
export interface DriverLog {
  debug(fields: DriverLogFields, message: string): void;
  info(fields: DriverLogFields, message: string): void;
  warn(fields: DriverLogFields, message: string): void;
  error(fields: DriverLogFields, message: string): void;
}

/** What every call of the runner comes with. */
export interface CallOptions {
  /** aborted when nobody waits for the outcome any more */
  readonly signal: AbortSignal;
  /** there while somebody follows values through the system: the driver names its own file (relative to packages/) */
  readonly trace?: (file: string, message: string) => void;
}

export interface OpenContext {
  /** aborted when nobody waits for the connection any more; `open` then rejects and leaves nothing behind */
  readonly signal: AbortSignal;
  readonly log: DriverLog;
  readonly clock: DriverClock;
  /** time-outs, retries, pauses: the same words for every protocol; a driver keeps those that mean something to it */
  readonly line: LineSettings;
  /** the mapper's own folder at this gateway, for what must outlive its process, such as certificates; exists, mode 0700 */
  readonly folder: string;
  /** called by the driver, at most once, when the connection has ended by itself after `open` had resolved */
  lost(error: AppError): void;
}

/** One property of one device, with its settings checked and defaults filled in. */
export interface Point<Address = unknown, Visitor = unknown> {
  readonly device: string;
  /** as people call it; an older gateway does not tell */
  readonly deviceName?: string;
  readonly property: string;
  readonly type: ValueType;
  readonly address: Address;
  readonly visitor: Visitor;
  /** further fields as people wrote them, 64-bit integers as bigint */
  readonly custom: Readonly<Record<string, ExactJson>>;
  readonly deviceCustom: Readonly<Record<string, ExactJson>>;
}

/** A value of the point's type, or null with a reason. Quality is good without and bad with a reason unless stated. */
export interface PointResult {
  readonly value: Value;
  readonly quality?: Quality;
  readonly reason?: ErrorCode;
  /** microseconds of the clock handed in, when the answer arrived; the runner's own time when missing */
  readonly monotonic?: number;
  /**
   * when the value was so by the device's own clock, in microseconds since 1970 UTC; then the reading has that time. Only
   * of what was subscribed to
   */
  readonly time?: number;
}

/** Where a driver with much to report puts values, instead of one object for each. Rows are positions in `points`. */
export interface ReadSink {
  /** when the answer arrived that the following rows come from */
  at(monotonic: number): void;
  /** a value that is not null, of the point's type, of good quality */
  good(row: number, value: Value): void;
  bad(row: number, reason: ErrorCode): void;
}

/**
 * An open connection. The runner calls it as often as schedules demand, several calls at a time; a driver whose device
 * takes one question at a time queues them. Every method rejects with an AppError that has a `mapper/…` code, and soon
 * after its signal is aborted. `mapper/connection-lost` makes the runner close it and open another.
 *
 * The array `points` is the same object for each cycle of a group, so a driver may keep its plan in a WeakMap.
 */
export interface MapperConnection<Address = unknown, Visitor = unknown> {
  /** one result per point, in their order; rejects only when nothing at all could be read */
  read(points: readonly Point<Address, Visitor>[], options: CallOptions): Promise<readonly PointResult[]>;
  /** resolves when the device has taken the value; a value that does not fit is refused before anything is sent */
  write(point: Point<Address, Visitor>, value: Value, options: CallOptions): Promise<void>;
  /** resolves when nothing is in flight; calls in flight reject with `aborted` or a `mapper/…` code */
  close(): Promise<void>;
}

/** Looked for by the runner: the same as `read`, without an object per value. Rows not reported are bad, mapper/timeout. */
export interface ReadsInto<Address = unknown, Visitor = unknown> {
  readInto(points: readonly Point<Address, Visitor>[], sink: ReadSink, options: CallOptions): Promise<void>;
}
/** Looked for by the runner: several values at a time. Without it each is written by itself, in order. */
export interface WritesAll<Address = unknown, Visitor = unknown> {
  /** one outcome a write, in their order; rejects only when nothing at all was written */
  writeAll(
    writes: readonly { readonly point: Point<Address, Visitor>; readonly value: Value }[],
    options: CallOptions,
  ): Promise<readonly (AppError | null)[]>;
}
/** Looked for by the runner: the device has methods. */
export interface Calls<Address = unknown, Method = unknown> {
  /** at most once, never made again; null when the method has no result */
  call(method: MethodCall<Address, Method>, options: CallOptions): Promise<Value>;
}
export interface MethodCall<Address = unknown, Method = unknown> {
  readonly device: string;
  readonly method: string;
  readonly address: Address;
  /** settings of the method, checked, defaults filled in */
  readonly visitor: Method;
  readonly arguments: Readonly<Record<string, Value>>;
  /** type of what it gives back; null = nothing */
  readonly result: ValueType | null;
  readonly deviceCustom: Readonly<Record<string, ExactJson>>;
}

/** Looked for by the runner where the manifest says `subscribes`: the device tells changes by itself. */
export interface Subscribes<Address = unknown, Visitor = unknown> {
  /**
   * Resolves when the device has agreed; from then on `each` is called with every change, several of one row in their
   * order, and first with the present value where the protocol has one. `lost` ends every subscription of the connection,
   * and the runner subscribes again on the next; a driver that can go on without a gap, keeps quiet. A device that is said
   * to be gone, while the connection stands, is told with `mapper/device-offline` for its rows.
   */
  subscribe(points: readonly Point<Address, Visitor>[], options: SubscribeOptions): Promise<void>;
}
export interface SubscribeOptions extends CallOptions {
  each(row: number, result: PointResult): void;
  /** aborted when nobody wants the values any more; `signal` only says that nobody waits for the agreement */
  readonly ended: AbortSignal;
  /**
   * null while the runner has room for more, else resolves when it has again. A driver whose device keeps changes for it
   * waits before it fetches more. What is told nevertheless waits up to a bound; then the oldest go and are counted.
   */
  room?(): Promise<void> | null;
}
/** Looked for by the runner: the device can say what it has. */
export interface Browses {
  /** what lies directly below `path`; [] is the top */
  browse(path: readonly string[], options: CallOptions): Promise<readonly BrowsedNode[]>;
}
export type { BrowsedNode } from "@penstock/model";

/** What `open` gives: what every connection can, and what this one can besides. */
export type OpenedConnection<A = unknown, V = unknown> = MapperConnection<A, V> & Partial<Subscribes<A, V> & Browses>;

export function readsInto(connection: object): connection is ReadsInto {
  return "readInto" in connection && typeof connection.readInto === "function";
}

export function writesAll(connection: object): connection is WritesAll {
  return "writeAll" in connection && typeof connection.writeAll === "function";
}

export function subscribes(connection: object): connection is Subscribes {
  return "subscribe" in connection && typeof connection.subscribe === "function";
}

export function browses(connection: object): connection is Browses {
  return "browse" in connection && typeof connection.browse === "function";
}

export function calls(connection: object): connection is Calls {
  return "call" in connection && typeof connection.call === "function";
}

/** `read` for a driver that has `readInto`. */
export async function readByInto<A, V>(
  connection: ReadsInto<A, V>,
  points: readonly Point<A, V>[],
  options: CallOptions,
): Promise<readonly PointResult[]> {
  const results: PointResult[] = points.map(() => ({ value: null, reason: "mapper/timeout" }));
  let monotonic: number | undefined;
  const when = () => (monotonic === undefined ? {} : { monotonic });
  await connection.readInto(
    points,
    {
      at: (time) => {
        monotonic = time;
      },
      good: (row, value) => {
        results[row] = { value, ...when() };
      },
      bad: (row, reason) => {
        results[row] = { value: null, reason, ...when() };
      },
    },
    options,
  );
  return results;
}
