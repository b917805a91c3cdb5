import type { Cancel, Clock, Counter, Gauge, Metrics } from "@penstock/runtime";

/** What has happened to one metric since it was told last. */
export interface ToldMetric {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  /** null: a gauge, or nothing was added */
  readonly added: number | null;
  /** null: a counter, or nothing was set */
  readonly set: number | null;
}

interface Member {
  readonly counter: Counter;
  readonly gauge: Gauge;
  /** @returns null: nothing has happened to it */
  taken(): ToldMetric | null;
}

/** so long after the first of them changes are told together */
const tellMs = 500;

/** Metrics whose registry is on another thread, which is told what has changed. Rules have no histograms. */
export class ToldMetrics implements Metrics {
  readonly #members = new Map<string, Member>();
  readonly #clock: Clock;
  readonly #tell: (changes: readonly ToldMetric[]) => void;
  #changed = new Set<Member>();
  #cancel: Cancel | null = null;

  constructor(options: { readonly clock: Clock; tell(changes: readonly ToldMetric[]): void }) {
    this.#clock = options.clock;
    this.#tell = options.tell;
  }

  counter(name: string, help: string, labels: Readonly<Record<string, string>> = {}): Counter {
    const { counter } = this.#member(name, help, labels);
    // One that stands at nothing is told too.
    if (counter.value === 0) counter.add(0);
    return counter;
  }

  gauge(name: string, help: string, labels: Readonly<Record<string, string>> = {}): Gauge {
    return this.#member(name, help, labels).gauge;
  }

  histogram(name: string): never {
    throw new Error(`Cannot tell histogram "${name}" to another thread`);
  }

  totals(): never {
    throw new Error("The registry is on another thread");
  }

  expose(): never {
    throw new Error("The registry is on another thread");
  }

  /** What has changed is told now. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    const changes = [...this.#changed].flatMap((member) => member.taken() ?? []);
    this.#changed = new Set();
    if (changes.length > 0) this.#tell(changes);
  }

  #member(name: string, help: string, labels: Readonly<Record<string, string>>): Member {
    const key = JSON.stringify([name, Object.entries(labels).sort()]);
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    let value = 0;
    let added: number | null = null;
    let set: number | null = null;
    const changed = () => {
      this.#changed.add(member);
      this.#cancel ??= this.#clock.after(tellMs, () => this.flush());
    };
    const member: Member = {
      counter: {
        get value() {
          return value;
        },
        add(amount = 1) {
          value += amount;
          added = (added ?? 0) + amount;
          changed();
        },
      },
      gauge: {
        get value() {
          return value;
        },
        set(to) {
          value = to;
          set = to;
          changed();
        },
      },
      taken() {
        const told = added === null && set === null ? null : { name, help, labels, added, set };
        [added, set] = [null, null];
        return told;
      },
    };
    this.#members.set(key, member);
    return member;
  }
}

/** Puts what another thread told into the registry. */
export function addTold(metrics: Metrics, changes: readonly ToldMetric[]): void {
  for (const { name, help, labels, added, set } of changes) {
    if (added !== null) metrics.counter(name, help, labels).add(added);
    if (set !== null) metrics.gauge(name, help, labels).set(set);
  }
}
