import type { ObjectValue, Value } from "@penstock/rules";

/** A limit as rows have it: a number, or the last value of a column. */
export type Limit = number | { readonly column: string };

/** `AlarmWhen` with durations in microseconds. */
export interface When {
  readonly value: string;
  readonly above: Limit | null;
  readonly below: Limit | null;
  readonly outside: { readonly of: Limit; readonly by: Limit } | null;
  readonly rate: { readonly above: Limit; readonly within: number } | null;
  readonly stuck: { readonly for: number; readonly by: number } | null;
  readonly gap: { readonly for: number } | null;
  readonly hysteresis: number;
}

/** What of the past counts. Times are those of `now` of the inputs. */
export interface WhenState {
  /** last values of the columns that are limits: they may come in other rows than the value */
  readonly limits: Readonly<Record<string, number>>;
  /** last good value; null: none yet */
  readonly value: number | null;
  /** on which side it went out, of above and below */
  readonly side: "high" | "low" | null;
  /** of rate, oldest first, at most `samplesMost` */
  readonly samples: readonly (readonly [at: number, value: number])[];
  /** of stuck: the value that others are compared with, and since when nothing was far from it */
  readonly base: Value;
  readonly steadySince: number;
  /** when a good value came last */
  readonly goodAt: number;
}

const samplesMost = 256;

export function newWhenState(now: number): WhenState {
  return { limits: {}, value: null, side: null, samples: [], base: null, steadySince: now, goodAt: now };
}

/** As a restart finds it: a value that was stuck still is, if the next one is the same. */
export function restoredWhenState(when: When | null, base: Value, now: number): WhenState {
  const state = newWhenState(now);
  return base === null || when?.stuck == null ? state : { ...state, base, steadySince: now - when.stuck.for };
}

/** Takes in a row: the value and the limits that it has. */
export function observe(when: When, state: WhenState, row: ObjectValue, now: number): WhenState {
  const limits = { ...state.limits };
  for (const column of limitColumns(when)) {
    const value = numberOf(row[column]);
    if (value !== null) limits[column] = value;
  }
  const given = row[when.value] ?? null;
  if (given === null) return { ...state, limits };
  const value = numberOf(given);
  const isMoved =
    state.base === null ||
    (value === null || typeof state.base === "string" || typeof state.base === "boolean"
      ? given !== state.base
      : Math.abs(value - Number(state.base)) > (when.stuck?.by ?? 0));
  return {
    ...{ limits, value: value ?? state.value, side: state.side, goodAt: now },
    ...(isMoved ? { base: value ?? given, steadySince: now } : { base: state.base, steadySince: state.steadySince }),
    samples:
      when.rate === null || value === null ? state.samples : sampled(state.samples, when.rate.within, now, value),
  };
}

/**
 * Is there reason now? Null: nobody can say yet, since a value or a limit has never come.
 *
 * @param wasActive the reason stood before, so the value has to come back by the hysteresis; it is all that a restart leaves
 */
export function judge(
  when: When,
  state: WhenState,
  { now, wasActive }: { readonly now: number; readonly wasActive: boolean },
): { readonly isActive: boolean | null; readonly state: WhenState } {
  const at = (limit: Limit) => (typeof limit === "number" ? limit : (state.limits[limit.column] ?? null));
  // After a restart what stood goes on standing until a value says otherwise.
  if (when.gap !== null) {
    return { isActive: (wasActive && state.base === null) || now - state.goodAt >= when.gap.for, state };
  }
  if (when.stuck !== null) {
    const isActive = state.base === null ? wasActive : now - state.steadySince >= when.stuck.for;
    return { isActive, state };
  }
  const { value } = state;
  if (value === null) return { isActive: null, state };
  if (when.rate !== null) {
    const above = at(when.rate.above);
    if (above === null) return { isActive: null, state };
    const within = when.rate.within;
    const recent = state.samples.filter(([time]) => now - time <= within);
    return { isActive: recent.some(([, before]) => Math.abs(value - before) > above), state };
  }
  const back = (stands: boolean) => (stands ? when.hysteresis : 0);
  if (when.outside !== null) {
    const of = at(when.outside.of);
    const by = at(when.outside.by);
    if (of === null || by === null) return { isActive: null, state };
    return { isActive: Math.abs(value - of) > by - back(wasActive), state };
  }
  const high = when.above === null ? null : at(when.above);
  const low = when.below === null ? null : at(when.below);
  if (high === null && low === null) return { isActive: null, state };
  const isHigh = high !== null && value > high - back(wasActive && state.side !== "low");
  const isLow = low !== null && value < low + back(wasActive && state.side !== "high");
  const side = isHigh ? "high" : isLow ? "low" : null;
  return { isActive: side !== null, state: side === state.side ? state : { ...state, side } };
}

/** When time alone changes the answer; null: never. */
export function whenDue(when: When, state: WhenState, { now, isOn }: { readonly now: number; readonly isOn: boolean }) {
  if (when.gap !== null) return isOn ? null : state.goodAt + when.gap.for;
  if (when.stuck !== null) return isOn || state.base === null ? null : state.steadySince + when.stuck.for;
  const { rate } = when;
  if (rate === null || !isOn) return null;
  const oldest = state.samples.find(([at]) => now - at <= rate.within);
  return oldest === undefined ? now : oldest[0] + rate.within + 1;
}

function limitColumns({ above, below, outside, rate }: When): string[] {
  const limits = [above, below, outside?.of, outside?.by, rate?.above];
  return limits.flatMap((limit) => (typeof limit === "object" && limit !== null ? [limit.column] : []));
}

/** Samples so close to each other that there are never more than the bound; the newest within the time always counts. */
function sampled(samples: WhenState["samples"], within: number, now: number, value: number): WhenState["samples"] {
  const recent = samples.filter(([at]) => now - at <= within);
  const last = recent.at(-1);
  if (last !== undefined && now - last[0] < within / (samplesMost - 1)) return recent;
  return [...recent, [now, value]];
}

function numberOf(value: Value | undefined): number | null {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
