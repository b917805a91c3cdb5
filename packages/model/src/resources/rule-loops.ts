import type { RuleActionSpec } from "./rule.ts";

/** What a rule is fed with and what it gives, as texts: "oven.temperature" of a device, "memory:clean" of a stream. */
export interface RuleEnds {
  readonly name: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** "*" stands for a device that is only known when there is a result. */
export function endOfProperty(device: string, property: string): string {
  return `${device.includes("${") ? "*" : device}.${property}`;
}
export function endOfStream(stream: string): string {
  return `memory:${stream}`;
}

/** What actions give to other rules. @param columns  of the results; null: not known before there is one */
export function writesOf(actions: readonly RuleActionSpec[], columns: readonly string[] | null): string[] {
  return actions.flatMap(({ series, memory }) => {
    if (memory !== undefined) return [endOfStream(memory.stream)];
    if (series === undefined) return [];
    const { device, properties } = series;
    const names = properties === undefined ? (columns ?? ["*"]) : Object.values(properties);
    return names.map((name) => endOfProperty(device, name));
  });
}

/** Rules by what they read, so that thousands that feed one another are followed without comparing each with each. */
export class RuleLoops {
  readonly #byRead = new Map<string, RuleEnds[]>();

  add(rule: RuleEnds): void {
    for (const key of new Set(rule.reads.flatMap(keysOfRead))) {
      const known = this.#byRead.get(key);
      if (known === undefined) this.#byRead.set(key, [rule]);
      else known.push(rule);
    }
  }

  /**
   * The way by which a rule that is not added yet would be fed with what it gives, its own name first and last; null: there
   * is none. A control loop by way of a device is none: the device decides what it measures.
   */
  through(rule: RuleEnds): readonly string[] | null {
    const own = new Set(rule.reads.flatMap(keysOfRead));
    const seen = new Set<string>([rule.name]);
    const waiting: (readonly RuleEnds[])[] = [[rule]];
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const { writes } = path.at(-1)!;
      if (writes.some((end) => own.has(end))) return [...path, rule].map(({ name }) => name);
      for (const next of writes.flatMap((end) => this.#byRead.get(end) ?? [])) {
        if (seen.has(next.name)) continue;
        seen.add(next.name);
        waiting.push([...path, next]);
      }
    }
    return null;
  }
}

/** As it may be written: the read end of a property is fed by writes of it, with stars in place of either half too. */
function keysOfRead(read: string): string[] {
  if (read.startsWith("memory:")) return [read];
  const at = read.indexOf(".");
  const [device, property] = [read.slice(0, at), read.slice(at + 1)];
  return [read, `*.${property}`, `${device}.*`, "*.*"];
}
