import type {
  CallOptions,
  Calls,
  DriverClock,
  MapperConnection,
  MethodCall,
  Point,
  PointResult,
  SubscribeOptions,
  Subscribes,
} from "@penstock/mapper-sdk";
import { AppError, sameValue, type Value } from "@penstock/model";
import { type Address, type Method, placeName, shapeOf, type Visitor } from "./fields.ts";
import { type PlaceState, type PlaceView, shownBy } from "./place.ts";
import { noiseOf } from "./signal.ts";
import { checkFits } from "./typed.ts";

export interface ConnectionOptions {
  readonly seed: number;
  readonly failRate: number;
  readonly delayMs: number;
  readonly clock: DriverClock;
}
type VirtualPoint = Point<Address, Visitor>;

const file = "mappers/virtual/src/connection.ts";
const lookEveryMs = 100;
/** A place that nobody has described is made by a method only; a device has not more of them than it can have properties. */
const mostPlaces = 100_000;

/** Devices that exist nowhere else: what they show follows from the driver's clock, a seed and what was written. */
export class VirtualConnection
  implements MapperConnection<Address, Visitor>, Subscribes<Address, Visitor>, Calls<Address, Method>
{
  readonly #options: ConnectionOptions;
  readonly #begun: number;
  readonly #places = new Map<string, PlaceState>();
  /** how a place was last asked for; only then a method knows what stands there */
  readonly #views = new Map<string, Pick<PlaceView, "shape" | "type">>();
  readonly #closing = new AbortController();
  #attempts = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#begun = options.clock.monotonic();
  }

  async read(points: readonly VirtualPoint[], { signal, trace }: CallOptions): Promise<readonly PointResult[]> {
    await this.#wait(signal);
    const results = points.map((point) => this.#result(point));
    trace?.(file, "The clock gave the values");
    return results;
  }

  /** Looks every 100 ms and tells what has changed since; first all. */
  async subscribe(points: readonly VirtualPoint[], { signal, ended, each, trace }: SubscribeOptions): Promise<void> {
    await this.#wait(signal);
    const told: (PointResult | undefined)[] = [];
    const look = () => {
      points.forEach((point, row) => {
        const result = this.#result(point);
        const before = told[row];
        if (before?.reason === result.reason && sameValue(before?.value ?? null, result.value)) return;
        told[row] = result;
        each(row, result);
      });
      cancel = this.#options.clock.after(lookEveryMs, look);
    };
    let cancel = () => {};
    const stop = AbortSignal.any([ended, this.#closing.signal]);
    stop.addEventListener("abort", () => cancel(), { once: true });
    if (!stop.aborted) look();
    trace?.(file, "The places are watched");
  }

  async write(point: VirtualPoint, value: Value, { signal, trace }: CallOptions): Promise<void> {
    checkFits(point.type, value);
    await this.#wait(signal);
    if (this.#fails())
      throw new AppError("mapper/device-failure", `Cannot write "${point.property}": failed by chance`);
    this.#put(keyOf(point.device, point.address, placeName(point.visitor, point.property)), value);
    trace?.(file, "The place holds the value");
  }

  async call(call: MethodCall<Address, Method>, { signal, trace }: CallOptions): Promise<Value> {
    const { act, name } = call.visitor;
    const { value } = call.arguments;
    if (act === "set" && (name === undefined || value === undefined || value === null)) {
      const missing = name === undefined ? "its visitor names no place" : 'it needs an argument "value"';
      throw new AppError("mapper/unsupported", `Cannot call "${call.method}": ${missing}`);
    }
    const key = keyOf(call.device, call.address, name ?? "");
    const view = this.#views.get(key);
    if (act === "set" && view !== undefined) checkFits(view.type, value!);
    await this.#wait(signal);
    if (this.#fails()) throw new AppError("mapper/device-failure", `Cannot call "${call.method}": failed by chance`);
    trace?.(file, "The method was done");
    if (act === "reset") {
      const isMeant = (known: string) => (name === undefined ? known.startsWith(key) : known === key);
      // Signals that nobody has written begin again as well.
      const known = new Set([...this.#places.keys(), ...this.#views.keys()]);
      for (const place of known) if (isMeant(place)) this.#put(place, null);
      return null;
    }
    const before = view === undefined ? (this.#places.get(key)?.written ?? null) : this.#show(key, view);
    this.#put(key, value!);
    return call.result === null ? null : before;
  }

  async close(): Promise<void> {
    this.#closing.abort(new AppError("aborted", "The connection was closed"));
  }

  #result(point: VirtualPoint): PointResult {
    const key = keyOf(point.device, point.address, placeName(point.visitor, point.property));
    const view = { shape: shapeOf(point.visitor, point.property), type: point.type };
    this.#views.set(key, view);
    if (this.#fails()) return { value: null, reason: "mapper/device-failure" };
    const value = this.#show(key, view);
    return value === null ? { value, reason: "mapper/value-out-of-range" } : { value };
  }

  #show(key: string, view: Pick<PlaceView, "shape" | "type">): Value {
    const { clock, seed } = this.#options;
    const state = this.#places.get(key) ?? { since: this.#begun, written: null };
    const noise = (period: number) => noiseOf(seed, key, period);
    return shownBy(state, { ...view, now: clock.monotonic(), noise });
  }

  #put(key: string, written: Value): void {
    if (!this.#places.has(key) && this.#places.size >= mostPlaces) {
      throw new AppError("mapper/unsupported", `Cannot write: ${mostPlaces} places are in use`);
    }
    this.#places.set(key, { since: this.#options.clock.monotonic(), written });
  }

  #fails(): boolean {
    const { seed, failRate } = this.#options;
    return failRate > 0 && noiseOf(seed, "fail", this.#attempts++) < failRate;
  }

  /** The answer's delay. @throws AppError aborted, at once, when nobody waits any more */
  #wait(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const aborted = () => new AppError("aborted", "The work was called off", { cause: stop.reason });
    if (stop.aborted) return Promise.reject(aborted());
    const { clock, delayMs } = this.#options;
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel();
        reject(aborted());
      };
      const cancel = clock.after(delayMs, () => {
        stop.removeEventListener("abort", onAbort);
        resolve();
      });
      stop.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** No name holds a line break, so that no two places share a key. */
function keyOf(device: string, address: Address, place: string): string {
  const owner = address.station === undefined ? `device ${device}` : `station ${address.station}`;
  return `${owner}\n${place}`;
}
