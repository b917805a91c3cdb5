import type { DesiredFact, Fact, Place, RunFacts } from "./facts.ts";
import { judgeOutcomes } from "./judge-outcomes.ts";

export interface Verdict {
  readonly accepted: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
  readonly stale: number;
  readonly dropped: number;
  readonly unread: number;
  /** what is wrong, in words, the first few of each kind; empty when nothing is */
  readonly findings: readonly string[];
}

/** Examples of one kind that are put into words; the rest is counted. */
const examplesMost = 5;

/** Compares what a gateway accepted with what its cloud stored and tells, as section 6 of the design defines each count. */
export function judge(facts: RunFacts): Verdict {
  const findings = new Findings();
  const { found, duplicated } = matchStored(facts, findings);
  const missing = facts.accepted.filter((fact) => !found.has(fact));
  const dropped = Math.min(missing.length, facts.dropped);
  if (missing.length < facts.dropped) {
    findings.add("dropped", `the agent counted ${facts.dropped} readings as dropped, ${missing.length} are missing`);
  }
  const lost = missing.length - dropped;
  if (lost > 0) for (const fact of missing) findings.add("lost", nameOf(fact));
  const stored = bySeries(facts.stored);
  return {
    accepted: facts.accepted.length,
    stored: facts.stored.length,
    lost,
    duplicated: duplicated + answersTakenTwice(facts, findings),
    outOfOrder: outOfOrder(stored, facts, findings),
    stale: staleLast(stored, facts, findings) + staleDesired(facts.desired, findings) + wrongOutcomes(facts, findings),
    dropped,
    unread: unread(facts, findings),
    findings: findings.texts(),
  };
}

/**
 * Each stored reading is one accepted reading with the same seq and content. The epoch may differ: what a gateway had not
 * yet delivered is offered again when the cloud orders a new epoch.
 */
function matchStored(facts: RunFacts, findings: Findings): { found: Set<Fact>; duplicated: number } {
  const acceptedAt = new Map<number, Fact[]>();
  for (const fact of facts.accepted) {
    const there = acceptedAt.get(fact.seq);
    if (there === undefined) acceptedAt.set(fact.seq, [fact]);
    else there.push(fact);
  }
  const found = new Set<Fact>();
  const ids = new Map<string, Set<number>>();
  let duplicated = 0;
  for (const fact of facts.stored) {
    const seqs = ids.get(fact.epoch) ?? new Set();
    ids.set(fact.epoch, seqs);
    const isSecond = seqs.has(fact.seq);
    seqs.add(fact.seq);
    const same = acceptedAt.get(fact.seq)?.filter((one) => isSame(one, fact)) ?? [];
    const free = same.find((one) => !found.has(one));
    // Stored under two epochs is stored twice as well.
    if (isSecond || (same.length > 0 && free === undefined)) {
      duplicated++;
      findings.add("duplicated", nameOf(fact));
    }
    if (free !== undefined) found.add(free);
  }
  return { found, duplicated };
}

/** Each answered read has a number of its own, so the same number accepted twice is one answer taken for two readings. */
function answersTakenTwice(facts: RunFacts, findings: Findings): number {
  let twice = 0;
  const seen = new Map([...facts.answered.keys()].map((series) => [series, new Set<string>()]));
  for (const fact of facts.accepted) {
    const numbers = seen.get(fact.series);
    if (numbers === undefined || !isGood(fact)) continue;
    if (numbers.has(fact.value)) {
      twice++;
      findings.add("duplicated", `${nameOf(fact)}: the same answer was accepted before`);
    }
    numbers.add(fact.value);
  }
  return twice;
}

function outOfOrder(stored: ReadonlyMap<string, readonly Fact[]>, facts: RunFacts, findings: Findings): number {
  let wrong = 0;
  for (const [series, list] of stored) {
    const got: readonly Place[] = facts.readBack.get(series) ?? [];
    for (let i = 0; i < Math.max(list.length, got.length); i++) {
      const want = list[i];
      const is = got[i];
      if (want !== undefined && is !== undefined && isSamePlace(want, is)) continue;
      wrong++;
      findings.add("out of order", `${series} at place ${i}: ${placeName(is)} instead of ${placeName(want)}`);
    }
  }
  return wrong;
}

function staleLast(stored: ReadonlyMap<string, readonly Fact[]>, facts: RunFacts, findings: Findings): number {
  let stale = 0;
  for (const [series, list] of stored) {
    const newest = list.at(-1)!;
    const last = facts.last.get(series) ?? null;
    const isCurrent = last !== null && (last.time > newest.time || isSamePlace(last, newest));
    if (isCurrent) continue;
    stale++;
    findings.add("stale", `${series}: last value ${placeName(last ?? undefined)}, newest stored ${placeName(newest)}`);
  }
  return stale;
}

function staleDesired(desired: readonly DesiredFact[], findings: Findings): number {
  let stale = 0;
  for (const { property, version, value, state, atDevice } of desired) {
    const isDone = state.version === version && state.state === "confirmed" && atDevice === value;
    if (isDone) continue;
    stale++;
    findings.add(
      "stale",
      `desired "${property}": version ${version} (${value}) was set; its state is ${state.state} of version ${state.version}, the device has ${atDevice}`,
    );
  }
  return stale;
}

function wrongOutcomes({ outcomes }: RunFacts, findings: Findings): number {
  const wrong = judgeOutcomes(outcomes);
  for (const text of wrong) findings.add("stale", text);
  return wrong.length;
}

function unread(facts: RunFacts, findings: Findings): number {
  let missing = 0;
  for (const [series, answered] of facts.answered) {
    const taken = new Set<number>();
    for (const fact of facts.accepted) {
      if (fact.series === series && isGood(fact)) taken.add(numberIn(fact.value));
    }
    const gone: number[] = [];
    for (let n = 1; n <= answered; n++) if (!taken.has(n)) gone.push(n);
    missing += gone.length;
    if (gone.length > 0) findings.note(`unread of ${series}: answers ${gone.slice(0, 20).join(", ")}`);
  }
  if (missing > facts.unreadAllowed) {
    findings.add("unread", `${missing} answered reads were never accepted, ${facts.unreadAllowed} may be`);
  }
  return missing;
}

/** Sorted by (source time, seq): the place that each reading must have. */
function bySeries(facts: readonly Fact[]): Map<string, Fact[]> {
  const lists = new Map<string, Fact[]>();
  for (const fact of facts) {
    const list = lists.get(fact.series);
    if (list === undefined) lists.set(fact.series, [fact]);
    else list.push(fact);
  }
  for (const list of lists.values()) list.sort((a, b) => a.time - b.time || a.seq - b.seq);
  return lists;
}

function isSame(a: Fact, b: Fact): boolean {
  return a.series === b.series && isSamePlace(a, b);
}
function isSamePlace(a: Place, b: Place): boolean {
  return a.time === b.time && a.value === b.value;
}
function isGood(fact: Fact): boolean {
  return fact.value.endsWith(" good");
}
/** of a 64-bit integer, which JSON carries as text: `"12" good` */
function numberIn(value: string): number {
  return Number(JSON.parse(value.slice(0, value.lastIndexOf(" "))));
}
function nameOf({ epoch, seq, series, time, value }: Fact): string {
  return `${epoch.slice(0, 8)}/${seq} ${series} at ${time}: ${value}`;
}
function placeName(place: Place | undefined): string {
  return place === undefined ? "nothing" : `${place.value} at ${place.time}`;
}

class Findings {
  readonly #kinds = new Map<string, { examples: string[]; count: number }>();
  readonly #notes: string[] = [];

  add(kind: string, text: string): void {
    const held = this.#kinds.get(kind) ?? { examples: [], count: 0 };
    this.#kinds.set(kind, held);
    held.count++;
    if (held.examples.length < examplesMost) held.examples.push(text);
  }
  /** helps to understand a finding; is none by itself */
  note(text: string): void {
    this.#notes.push(text);
  }
  texts(): string[] {
    if (this.#kinds.size === 0) return [];
    const found = [...this.#kinds].flatMap(([kind, { examples, count }]) => [
      ...examples.map((text) => `${kind}: ${text}`),
      ...(count > examples.length ? [`${kind}: and ${count - examples.length} more`] : []),
    ]);
    return [...found, ...this.#notes];
  }
}
