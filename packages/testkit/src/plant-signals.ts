import {
  type Column,
  type DeviceUid,
  type ErrorCode,
  flagBad,
  flagNull,
  flagUncertain,
  type Layout,
  type LayoutProperty,
  layoutOrder,
  type Micros,
  type ReadingBatch,
  valueTypes,
} from "@penstock/model";
import { SignalNoise } from "./signal-noise.ts";
import { makeSignal, type Signal, signalKinds, signalMix } from "./signals.ts";
import { simStart } from "./sim-clock.ts";

export interface PlantSignalsOptions {
  /** series in all; devices have `propertiesPerDevice` of them each, the last one what is left */
  readonly series: number;
  readonly seed: number;
  /** default 100 */
  readonly propertiesPerDevice?: number;
  /** default 1000 */
  readonly everyMs?: number;
  /** default 2027-01-15T08:00:00Z */
  readonly start?: Micros;
}
export interface SignalTick {
  /** 0.. */
  readonly index: number;
  /** nominal time, before any jitter */
  readonly time: Micros;
  /** one per device, always in the same order; each a batch of its own that may be kept */
  readonly batches: readonly ReadingBatch[];
}

/** addresses of one Modbus request; its values share the moment of the answer */
export const readingsPerRequest = 40;

/**
 * The data set that benchmarks measure with: endless ticks, one reading of every series each. Fixed, so that figures of
 * two versions can be compared; the same seed gives the same ticks everywhere.
 *
 * *Composition*, in address order, repeated every 20 series (`signalMix` in signals.ts, which has each signal's law):
 * 5 temperatures (float64, a slow walk with sensor noise, read at 0.1), 2 pressures (float64, at 0.01), 3 analog values
 * with noise down to the last bit of float32, 2 piece counters (uint32), 1 energy counter (int64), 2 set-points (float32, a
 * new one every 5,000 ticks on average), 3 bits (bool, a change every 200 ticks on average), 2 levels (int16). So about
 * 15 % of all readings cannot be compressed below their noise, and 25 % hardly ever change.
 *
 * *Times* are whole milliseconds, as a gateway's request loop yields them: a device's cycle begins at its own phase of
 * the tick, plus 0 to 3 ms, plus up to 40 ms more once in 50 cycles; every request of 40 addresses takes another 3 to
 * 8 ms, and its readings share the moment. So neighbours in a batch differ in time, and no series ticks evenly.
 *
 * *Quality*: now and then a request times out for 1 to 5 cycles (null, bad, mapper/timeout; 0.1 % of readings), one sensor is
 * not finite for 1 to 20 cycles (null, bad, mapper/value-not-finite; 0.05 %), and one device's clock is not trusted for
 * 1 to 20 cycles (uncertain, clock/not-set; 0.05 %). Together about 0.2 %.
 *
 * Nothing here looks at what a codec likes: laws and figures were written down from plant signals first, and stay.
 * Changing one changes every figure in docs/performance.md, so it needs a decision page.
 */
export function* plantSignals(options: PlantSignalsOptions): Generator<SignalTick, never, undefined> {
  const { series, seed, propertiesPerDevice = 100, everyMs = 1000, start = simStart } = options;
  const noise = new SignalNoise(seed);
  const devices: SignalDevice[] = [];
  for (let first = 0; first < series; first += propertiesPerDevice) {
    const count = Math.min(propertiesPerDevice, series - first);
    devices.push(new SignalDevice({ number: devices.length, count, everyMs, seed, noise }));
  }
  for (let index = 0; ; index++) {
    const time = (start + index * everyMs * 1000) as Micros;
    yield { index, time, batches: devices.map((device) => device.tick(time)) };
  }
}

const reasons: readonly ErrorCode[] = ["mapper/timeout", "mapper/value-not-finite", "clock/not-set"];
const timeoutReason = 1;
const notFiniteReason = 2;
const clockReason = 3;
// chance of a run beginning = share wanted ÷ mean length of a run
const timeoutChance = 0.001 / 3;
const notFiniteChance = 0.0005 / 10.5;
const clockChance = 0.0005 / 10.5;

class SignalDevice {
  readonly #layout: Layout;
  readonly #noise: SignalNoise;
  /** by row, which is layout order */
  readonly #signals: readonly Signal[];
  readonly #ranks: Uint8Array;
  readonly #requests: Uint16Array;
  readonly #lengths: readonly number[];
  readonly #phaseMs: number;
  /** cycles left of a run of bad quality */
  readonly #timeoutLeft: Uint8Array;
  #sensorLeft = 0;
  #sensorRow = 0;
  #clockLeft = 0;

  constructor(options: { number: number; count: number; everyMs: number; seed: number; noise: SignalNoise }) {
    const { number, count, everyMs, seed, noise } = options;
    const addressOf = new Map<string, number>();
    const properties: LayoutProperty[] = [];
    for (let address = 0; address < count; address++) {
      const kind = signalMix[address % signalMix.length]!;
      const name = `${kind}${address}`;
      addressOf.set(name, address);
      properties.push({ name, type: signalKinds[kind] });
    }
    const ordered = layoutOrder(properties);
    const uid = `${(seed >>> 0).toString(16).padStart(8, "0")}${number.toString(16).padStart(24, "0")}` as DeviceUid;
    this.#layout = { id: 0, device: uid, properties: ordered };
    this.#noise = noise;
    this.#signals = ordered.map((property) =>
      makeSignal(signalMix[addressOf.get(property.name)! % signalMix.length]!, noise),
    );
    this.#ranks = Uint8Array.from(ordered, (property) => valueTypes.indexOf(property.type));
    this.#requests = Uint16Array.from(ordered, (property) =>
      Math.floor(addressOf.get(property.name)! / readingsPerRequest),
    );
    this.#lengths = valueTypes.map((type) => ordered.filter((property) => property.type === type).length);
    this.#phaseMs = noise.below(Math.max(1, everyMs >> 1));
    this.#timeoutLeft = new Uint8Array(Math.ceil(count / readingsPerRequest));
  }

  tick(time: Micros): ReadingBatch {
    const count = this.#signals.length;
    const ranks = this.#ranks;
    const columns = this.#columns();
    const filled = new Uint16Array(valueTypes.length);
    const answered = this.#answerTimes();
    const baseTime = (time + answered[this.#requests[0]!]! * 1000) as Micros;
    const offsets = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      const rank = ranks[row]!;
      this.#signals[row]!(columns[rank]!, filled[rank]!++);
      offsets[row] = time + answered[this.#requests[row]!]! * 1000 - baseTime;
    }
    const marks = this.#mark(columns);
    return {
      ...{ layout: this.#layout, count, index: null, baseTime, offsets, clock: null },
      ...{
        flags: marks?.flags ?? null,
        reasonIndex: marks?.reasonIndex ?? null,
        reasons: marks === null ? [] : reasons,
      },
      columns,
    };
  }

  /** milliseconds after the nominal tick at which each request was answered */
  #answerTimes(): Uint16Array {
    const noise = this.#noise;
    let at = this.#phaseMs + noise.below(4) + (noise.below(50) === 0 ? noise.below(41) : 0);
    const times = new Uint16Array(this.#timeoutLeft.length);
    for (let request = 0; request < times.length; request++) {
      at += 3 + noise.below(6);
      times[request] = at;
    }
    return times;
  }

  #columns(): (Column | undefined)[] {
    return this.#lengths.map((length, rank) => {
      if (length === 0) return undefined;
      switch (valueTypes[rank]) {
        case "bool":
          return new Uint8Array(length);
        case "int16":
          return new Int16Array(length);
        case "int64":
          return new BigInt64Array(length);
        case "uint32":
          return new Uint32Array(length);
        case "float32":
          return new Float32Array(length);
        default:
          return new Float64Array(length);
      }
    });
  }

  #mark(columns: readonly (Column | undefined)[]): { flags: Uint8Array; reasonIndex: Uint8Array } | null {
    const noise = this.#noise;
    const count = this.#signals.length;
    let isAny = false;
    for (let request = 0; request < this.#timeoutLeft.length; request++) {
      if (this.#timeoutLeft[request]! > 0) this.#timeoutLeft[request]!--;
      else if (noise.chance(timeoutChance)) this.#timeoutLeft[request] = 1 + noise.below(5);
      isAny ||= this.#timeoutLeft[request]! > 0;
    }
    if (this.#sensorLeft > 0) this.#sensorLeft--;
    else if (noise.chance(notFiniteChance * count)) {
      this.#sensorLeft = 1 + noise.below(20);
      this.#sensorRow = noise.below(count);
    }
    if (this.#clockLeft > 0) this.#clockLeft--;
    else if (noise.chance(clockChance)) this.#clockLeft = 1 + noise.below(20);
    isAny ||= this.#sensorLeft > 0 || this.#clockLeft > 0;
    if (!isAny) return null;

    const flags = new Uint8Array(count);
    const reasonIndex = new Uint8Array(count);
    const filled = new Uint16Array(valueTypes.length);
    for (let row = 0; row < count; row++) {
      const rank = this.#ranks[row]!;
      const at = filled[rank]!++;
      const isLost = this.#timeoutLeft[this.#requests[row]!]! > 0;
      if (isLost || (this.#sensorLeft > 0 && this.#sensorRow === row)) {
        flags[row] = flagBad | flagNull;
        reasonIndex[row] = isLost ? timeoutReason : notFiniteReason;
        const column = columns[rank]!;
        // A null row is 0 in its column; only int64 wants that as a bigint.
        if (column instanceof BigInt64Array) column[at] = 0n;
        else (column as Float64Array)[at] = 0;
      } else if (this.#clockLeft > 0) {
        flags[row] = flagUncertain;
        reasonIndex[row] = clockReason;
      }
    }
    return { flags, reasonIndex };
  }
}
