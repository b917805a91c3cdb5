/**
 * The order of one subscription's messages: each is delivered once, in the order of its number, however it came (published,
 * published late, published again on demand). Pure; who calls it fetches what is said to be missing.
 *
 * @source OPC UA 1.05 Part 4, 7.21 (numbers run from 1 to 4,294,967,295 and begin again at 1) and 6.7 (what is to be done
 *   after a cut)
 */
export interface Sequence<M> {
  /** the number that is due */
  readonly next: number;
  /** came before their turn, by number */
  readonly held: ReadonlyMap<number, M>;
}
export interface Step<M> {
  readonly state: Sequence<M>;
  /** in order */
  readonly deliver: readonly M[];
  /** numbers to be asked for again */
  readonly missing: readonly number[];
  /** numbers that were given up; what they held is lost */
  readonly lost: number;
}

const span = 0xffff_ffff;
/** Numbers that may be missing at once; a server that leaps further has begun anew. */
export const mostMissing = 1000;

export function beginSequence<M>(): Sequence<M> {
  return { next: 1, held: new Map() };
}

export function after(number: number, steps = 1): number {
  return ((((number - 1 + steps) % span) + span) % span) + 1;
}

/** How far `to` lies ahead of `from`; negative when it lies behind. */
export function distance(from: number, to: number): number {
  const ahead = (((to - from) % span) + span) % span;
  return ahead > span / 2 ? ahead - span : ahead;
}

/** A message with content. */
export function received<M>(state: Sequence<M>, number: number, message: M): Step<M> {
  const ahead = distance(state.next, number);
  if (ahead < 0 || state.held.has(number)) return { state, deliver: [], missing: [], lost: 0 };
  const held = new Map(state.held).set(number, message);
  if (ahead > mostMissing) return delivered({ next: number, held }, ahead - 1);
  return delivered({ next: state.next, held }, 0);
}

/** A keep-alive names the number that the next message will have, so what lies before it has been sent. */
export function keptAlive<M>(state: Sequence<M>, number: number): Step<M> {
  const ahead = distance(state.next, number);
  if (ahead > mostMissing) return delivered({ next: number, held: state.held }, ahead);
  const missing = range(state, Math.max(0, ahead));
  return { state, deliver: [], missing, lost: 0 };
}

/** The server no longer has that message. */
export function gone<M>(state: Sequence<M>, number: number): Step<M> {
  if (number !== state.next) return { state, deliver: [], missing: [], lost: 0 };
  return delivered({ next: after(number), held: state.held }, 1);
}

function delivered<M>(state: Sequence<M>, lost: number): Step<M> {
  const deliver: M[] = [];
  const held = new Map(state.held);
  let { next } = state;
  for (let message = held.get(next); message !== undefined; message = held.get(next)) {
    held.delete(next);
    deliver.push(message);
    next = after(next);
  }
  for (const number of held.keys()) if (distance(next, number) < 0) held.delete(number);
  const farthest = Math.max(0, ...[...held.keys()].map((number) => distance(next, number)));
  const now = { next, held };
  return { state: now, deliver, missing: range(now, farthest), lost };
}

function range<M>({ next, held }: Sequence<M>, count: number): number[] {
  return Array.from({ length: count }, (_, i) => after(next, i)).filter((number) => !held.has(number));
}
