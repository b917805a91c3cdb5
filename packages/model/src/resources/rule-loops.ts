import type { RuleActionSpec, RuleSourceSpec } from "./rule.ts";
import { matchesFilter } from "./topic-filter.ts";

/**
 * What a rule is fed with and what it gives, as texts: "oven.temperature" of a device, "memory:clean" of a stream,
 * "mqtt: plant/+" of a broker (the gateway's own, or its address before the blank).
 */
export interface RuleEnds {
  readonly name: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** "*" stands for a device that is only known when there is a result. */
function endOfProperty(device: string, property: string): string {
  return `${device.includes("${") ? "*" : device}.${property}`;
}
function endOfStream(stream: string): string {
  return `memory:${stream}`;
}
function endOfTopic({ topic, broker }: { readonly topic: string; readonly broker?: { readonly url: string } }): string {
  return `${mqttMark}${broker?.url ?? ""} ${topic}`;
}
const mqttMark = "mqtt:";

/**
 * What feeds a rule. What rules wrote comes only to those that name its column.
 *
 * @param chooses  it has a WHERE or FILTER, and may so leave out the messages that it sent itself
 */
export function readsOf(of: {
  readonly sources: Readonly<Record<string, RuleSourceSpec>>;
  readonly streams: readonly { readonly stream: string; readonly columns: readonly string[] }[];
  readonly chooses: boolean;
}): string[] {
  return of.streams.flatMap(({ stream, columns }) => {
    if (!Object.hasOwn(of.sources, stream)) return columns.map((column) => endOfProperty(stream, column));
    const { memory, mqtt } = of.sources[stream]!;
    if (memory !== undefined) return [endOfStream(stream)];
    return mqtt === undefined || of.chooses ? [] : [endOfTopic(mqtt)];
  });
}

/** What actions give to other rules. @param columns  of the results; null: not known before there is one */
export function writesOf(actions: readonly RuleActionSpec[], columns: readonly string[] | null): string[] {
  return actions.flatMap(({ series, memory, mqtt }) => {
    if (memory !== undefined) return [endOfStream(memory.stream)];
    if (mqtt !== undefined) return [endOfTopic(mqtt)];
    if (series === undefined) return [];
    const { device, properties } = series;
    const names = properties === undefined ? (columns ?? ["*"]) : Object.values(properties);
    return names.map((name) => endOfProperty(device, name));
  });
}

/** Rules by what they read, so that thousands that feed one another are followed without comparing each with each. */
export class RuleLoops {
  readonly #byRead = new Map<string, RuleEnds[]>();
  /** of brokers, whose filters are compared one by one */
  readonly #byTopic: { readonly read: string; readonly rule: RuleEnds }[] = [];

  add(rule: RuleEnds): void {
    for (const read of rule.reads) if (read.startsWith(mqttMark)) this.#byTopic.push({ read, rule });
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
    const ownTopics = rule.reads.filter((read) => read.startsWith(mqttMark));
    const seen = new Set<string>([rule.name]);
    const waiting: (readonly RuleEnds[])[] = [[rule]];
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const { writes } = path.at(-1)!;
      if (writes.some((end) => own.has(end) || ownTopics.some((read) => isHeard(read, end)))) {
        return [...path, rule].map(({ name }) => name);
      }
      for (const next of writes.flatMap((end) => this.#readersOf(end))) {
        if (seen.has(next.name)) continue;
        seen.add(next.name);
        waiting.push([...path, next]);
      }
    }
    return null;
  }

  #readersOf(end: string): readonly RuleEnds[] {
    if (!end.startsWith(mqttMark)) return this.#byRead.get(end) ?? [];
    return this.#byTopic.flatMap(({ read, rule }) => (isHeard(read, end) ? [rule] : []));
  }
}

/** Whether a filter surely takes what is sent: a level that a column names may be one of a wildcard only. */
function isHeard(read: string, sent: string): boolean {
  if (!sent.startsWith(mqttMark)) return false;
  const [from, to] = [read.indexOf(" "), sent.indexOf(" ")];
  if (read.slice(0, from) !== sent.slice(0, to)) return false;
  return matchesFilter(read.slice(from + 1), sent.slice(to + 1).replaceAll(/\$\{[^}]*\}/g, "\0"));
}

/** As it may be written: the read end of a property is fed by writes of it, with stars in place of either half too. */
function keysOfRead(read: string): string[] {
  if (read.startsWith(mqttMark)) return [];
  if (read.startsWith("memory:")) return [read];
  const at = read.indexOf(".");
  const [device, property] = [read.slice(0, at), read.slice(at + 1)];
  return [read, `*.${property}`, `${device}.*`, "*.*"];
}
