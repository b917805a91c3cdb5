/** How one action delivers. */
export interface DeliverySettings {
  readonly order: "oldest-first" | "newest-first";
  readonly hasCache: boolean;
  /** how often again; null: without end */
  readonly attempts: number | null;
  /** pauses before another try: the first, and none longer than */
  readonly firstMs: number;
  readonly longestMs: number;
  /** parcels that may wait in memory; beyond, the oldest go */
  readonly queueParcels: number;
  readonly queueBytes: number;
}
export type From = "memory" | "cache";

/** What the machine remembers. Times are ms on the monotonic clock. */
export interface DeliveryState {
  /** from where the one parcel in flight came; null: none */
  readonly sending: From | null;
  /** what waited in memory is on its way to the disk */
  readonly isStoring: boolean;
  /** failures in a row; 0: the peer can be reached */
  readonly failures: number;
  /** nothing is sent before */
  readonly pauseUntil: number;
  /** nothing is stored before: the disk has refused */
  readonly storeAfter: number;
  /** null: open; else when what can still be sent must be sent */
  readonly closeBy: number | null;
}
export const idleDelivery: DeliveryState = {
  ...{ sending: null, isStoring: false, failures: 0, pauseUntil: 0, storeAfter: 0, closeBy: null },
};

/** What there is to decide about, measured when it is decided. */
export interface World {
  readonly at: number;
  /** in memory, neither in flight nor on its way to the disk */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** on the disk and not delivered, the one in flight with them */
  readonly cached: number;
}
export type Act =
  | { readonly t: "send"; readonly from: From }
  /** everything that waits in memory, in its order */
  | { readonly t: "store" }
  /** the oldest that wait in memory, until what is left is within the bounds */
  | { readonly t: "drop" }
  | { readonly t: "wake"; readonly at: number };

const storeAgainMs = 5_000;

/** What to do now. Pure; asked again whenever something has happened. */
export function decide(
  settings: DeliverySettings,
  before: DeliveryState,
  world: World,
): { readonly state: DeliveryState; readonly acts: readonly Act[] } {
  const acts: Act[] = [];
  let state = before;
  let { waiting } = world;
  const isOver = (share: number) =>
    waiting > settings.queueParcels * share || world.waitingBytes > settings.queueBytes * share;
  if (mayStore(settings, state, world) && (mustStore(settings, state, world) || isOver(0.5))) {
    acts.push({ t: "store" });
    state = { ...state, isStoring: true };
    waiting = 0;
  } else if (isOver(1)) acts.push({ t: "drop" });
  const from = state.sending === null ? nextFrom(settings, state, { ...world, waiting }) : null;
  if (from !== null && world.at >= state.pauseUntil) {
    acts.push({ t: "send", from });
    state = { ...state, sending: from };
  }
  const wakes = [
    ...(from !== null && world.at < state.pauseUntil ? [state.pauseUntil] : []),
    ...(waiting > 0 && settings.hasCache && world.at < state.storeAfter ? [state.storeAfter] : []),
    ...(state.closeBy !== null && world.at < state.closeBy ? [state.closeBy] : []),
  ];
  if (wakes.length > 0) acts.push({ t: "wake", at: Math.min(...wakes) });
  return { state, acts };
}

function mayStore({ hasCache }: DeliverySettings, state: DeliveryState, { waiting, at }: World): boolean {
  return hasCache && waiting > 0 && !state.isStoring && at >= state.storeAfter;
}

function mustStore({ order }: DeliverySettings, state: DeliveryState, { cached }: World): boolean {
  if (state.failures > 0 || state.closeBy !== null) return true;
  // What is on the disk is older, so what comes now waits its turn behind it.
  return order === "oldest-first" && cached > 0;
}

function nextFrom({ order, hasCache }: DeliverySettings, state: DeliveryState, world: World): From | null {
  const { waiting, cached, at } = world;
  if (state.closeBy !== null && (hasCache || state.failures > 0 || at >= state.closeBy)) return null;
  const fromMemory = waiting > 0 ? "memory" : null;
  const fromCache = cached > 0 ? "cache" : null;
  if (order === "newest-first") return fromMemory ?? fromCache;
  // What is on its way to the disk is older than what waits.
  return fromCache ?? (state.isStoring ? null : fromMemory);
}

/** Nothing is under way, and nothing will be before something comes. */
export function isAtRest(settings: DeliverySettings, state: DeliveryState, world: World): boolean {
  const { acts } = decide(settings, state, world);
  const isBusy = state.sending !== null || state.isStoring || acts.some(({ t }) => t === "send" || t === "store");
  if (isBusy) return false;
  const waitsForDisk = settings.hasCache && world.waiting > 0 && world.at < (state.closeBy ?? 0);
  return !waitsForDisk;
}

/** The peer has answered: it has the parcel, or will never take it. */
export function noteAnswer(state: DeliveryState): DeliveryState {
  return { ...state, sending: null, failures: 0, pauseUntil: 0 };
}

/**
 * The parcel could not be delivered this time.
 *
 * @param tries  how often it was tried by now
 * @param chance 0 ≤ x < 1, so that many gateways do not come back at the same moment
 * @returns isOver: it has been tried as often as it may
 */
export function noteFailure(
  settings: DeliverySettings,
  state: DeliveryState,
  failure: { readonly tries: number; readonly chance: number; readonly at: number },
): { readonly state: DeliveryState; readonly isOver: boolean } {
  const failures = state.failures + 1;
  const pause = Math.min(settings.longestMs, settings.firstMs * 2 ** Math.min(failures - 1, 40));
  return {
    state: {
      ...state,
      sending: null,
      failures,
      pauseUntil: failure.at + Math.ceil(pause * (0.5 + failure.chance / 2)),
    },
    isOver: settings.attempts !== null && failure.tries > settings.attempts,
  };
}

export function noteStored(state: DeliveryState, outcome: { readonly isOk: boolean; readonly at: number }) {
  return { ...state, isStoring: false, storeAfter: outcome.isOk ? 0 : outcome.at + storeAgainMs };
}
