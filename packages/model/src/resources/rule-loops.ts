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

/**
 * The way by which a rule would be fed with what it gives, its own name first and last; null: there is none. A control loop
 * by way of a device is none: the device decides what it measures.
 */
export function loopThrough(rule: RuleEnds, others: readonly RuleEnds[]): readonly string[] | null {
  const all = [rule, ...others.filter(({ name }) => name !== rule.name)];
  const seen = new Set<string>();
  const waiting: (readonly RuleEnds[])[] = [[rule]];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const last = path.at(-1)!;
    for (const next of all) {
      if (!last.writes.some((end) => next.reads.some((read) => isFed(read, end)))) continue;
      if (next === rule) return [...path, rule].map(({ name }) => name);
      if (seen.has(next.name)) continue;
      seen.add(next.name);
      waiting.push([...path, next]);
    }
  }
  return null;
}

function isFed(read: string, written: string): boolean {
  if (read === written) return true;
  if (read.startsWith("memory:") || written.startsWith("memory:")) return false;
  const [of, property] = split(written);
  const [device, name] = split(read);
  return (of === "*" || of === device) && (property === "*" || property === name);
}

function split(end: string): readonly [string, string] {
  const at = end.indexOf(".");
  return [end.slice(0, at), end.slice(at + 1)];
}
