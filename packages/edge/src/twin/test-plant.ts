import {
  AppError,
  type DeviceAccess,
  type DeviceUid,
  type DeviceWrite,
  type EffectiveDevice,
  type EffectiveMethod,
  type LocalWritePolicy,
  type MethodRequest,
  type Value,
} from "@penstock/model";
import { type Files, metricsRegistry, silentLog, sleep } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { openTwin, type Twin } from "./twin.ts";

export const uid = "d".repeat(32) as DeviceUid;

/** A device with float64 properties of one policy, and whatever methods a test needs. */
export function machine(of: {
  readonly properties?: readonly string[];
  readonly localWrites?: LocalWritePolicy;
  readonly methods?: readonly EffectiveMethod[];
  readonly generation?: number;
}): EffectiveDevice {
  const { properties = ["speed", "limit"], localWrites = "refuse", methods = [], generation = 1 } = of;
  return {
    ...{ uid, name: "conveyor-01", generation, connection: "c".repeat(32) as EffectiveDevice["connection"] },
    ...{ address: {}, methods, offlineAfterMs: null, custom: {} },
    properties: properties.map((name) => ({
      ...{ name, type: "float64", unit: null, access: "readWrite", minimum: "0", maximum: "100", visitor: {} },
      ...{ collect: { everyMs: 1000 }, localWrites, custom: {}, publish: null },
      report: { toCloud: true, cadence: null, deadband: null, atLeastMs: null },
    })),
  };
}

/** A device that holds values, counts round trips and notes what it was told. */
export class Plant implements DeviceAccess {
  readonly held = new Map<string, Value>();
  /** each write as it came: all its values */
  readonly writes: string[] = [];
  readonly calls: string[] = [];
  reads = 0;
  /** ms that a round trip takes */
  roundTripMs = 5;
  /** why the next accesses fail; null = they do not */
  trouble: AppError | null = null;
  answer: Value = null;
  /** false: a call hangs before it goes out, as one that waits for its line */
  isLineFree = true;
  readonly #clock: SimClock;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  async write(_: DeviceUid, writes: readonly DeviceWrite[]): Promise<null[]> {
    await sleep(this.#clock, this.roundTripMs);
    if (this.trouble !== null) throw this.trouble;
    this.writes.push(writes.map(({ property, value }) => `${property}=${value}`).join(" "));
    for (const { property, value } of writes) this.held.set(property, value);
    return writes.map(() => null);
  }
  async read(_: DeviceUid, property: string): Promise<Value> {
    await sleep(this.#clock, this.roundTripMs);
    if (this.trouble !== null) throw this.trouble;
    this.reads++;
    return this.held.get(property) ?? 0;
  }
  async call({ method, arguments: given, onSent }: MethodRequest, signal: AbortSignal): Promise<Value> {
    const calledOff = () => new AppError("aborted", "Called off", { cause: signal.reason });
    while (!this.isLineFree) {
      await sleep(this.#clock, 10);
      if (signal.aborted) throw calledOff();
    }
    onSent?.();
    this.calls.push(`${method}(${Object.entries(given).map(([name, value]) => `${name}=${value}`)})`);
    await sleep(this.#clock, this.roundTripMs);
    if (signal.aborted) throw calledOff();
    if (this.trouble !== null) throw this.trouble;
    return this.answer;
  }
}

export interface Site {
  readonly twin: Twin;
  readonly clock: SimClock;
  readonly plant: Plant;
  /** lets virtual time pass until promises and disk have had their turns */
  turns(ms?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openSite(
  disk: Files,
  of: { readonly find: () => EffectiveDevice | null; readonly clock?: SimClock; readonly plant?: Plant },
): Promise<Site> {
  const { find: lookup, clock = new SimClock() } = of;
  const plant = of.plant ?? new Plant(clock);
  const metrics = metricsRegistry();
  const opening = openTwin({
    ...{ files: disk, folder: "/twin", clock, log: silentLog, metrics, access: plant, lookup },
    machine: { boot: "1", isTimeTrusted: true },
  });
  const twin = await opening;
  const turns = async (ms = 200) => {
    for (let at = 0; at < ms; at += 10) await clock.advanceAsync(10);
  };
  return {
    ...{ twin, clock, plant, turns },
    async close() {
      const closed = twin.close();
      await turns();
      await closed;
    },
  };
}
