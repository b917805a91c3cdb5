import type { Counter, Gauge, Histogram, Metrics } from "./metrics.ts";

type Labels = Readonly<Record<string, string>>;
type Kind = "counter" | "gauge" | "histogram";
interface Family {
  readonly kind: Kind;
  readonly help: string;
  readonly members: Map<string, Member>;
}
interface Member extends Counter, Gauge, Histogram {
  lines(name: string, labels: Labels): string[];
  readonly labels: Labels;
}

/** @throws Error when a name is used for two kinds: a mistake in the program */
export function metricsRegistry(): Metrics {
  const families = new Map<string, Family>();
  const member = (name: string, kind: Kind, help: string, labels: Labels, make: () => Member): Member => {
    let family = families.get(name);
    if (family === undefined) {
      family = { kind, help, members: new Map() };
      families.set(name, family);
    }
    if (family.kind !== kind) throw new Error(`Cannot register ${kind} "${name}": it is a ${family.kind} already`);
    const key = labelText(labels);
    let found = family.members.get(key);
    if (found === undefined) {
      found = make();
      family.members.set(key, found);
    }
    return found;
  };
  return {
    counter: (name, help, labels = {}) => member(name, "counter", help, labels, () => single(labels)),
    gauge: (name, help, labels = {}) => member(name, "gauge", help, labels, () => single(labels)),
    histogram: (name, help, buckets, labels = {}) =>
      member(name, "histogram", help, labels, () => bucketed(labels, buckets)),
    totals() {
      const counters = [...families].filter(([, family]) => family.kind === "counter");
      const sum = ({ members }: Family) => [...members.values()].reduce((total, { value }) => total + value, 0);
      return Object.fromEntries(counters.map(([name, family]) => [name, sum(family)]));
    },
    expose() {
      const lines: string[] = [];
      for (const [name, family] of families) {
        lines.push(
          `# HELP ${name} ${family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
          `# TYPE ${name} ${family.kind}`,
        );
        for (const found of family.members.values()) lines.push(...found.lines(name, found.labels));
      }
      return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
    },
  };
}

function single(labels: Labels): Member {
  let value = 0;
  return {
    labels,
    get value() {
      return value;
    },
    add: (amount = 1) => {
      value += amount;
    },
    set: (to) => {
      value = to;
    },
    observe: () => {},
    lines: (name) => [`${name}${labelText(labels)} ${value}`],
  };
}

function bucketed(labels: Labels, buckets: readonly number[]): Member {
  const counts = new Array<number>(buckets.length).fill(0);
  let sum = 0;
  let count = 0;
  return {
    labels,
    value: 0,
    add: () => {},
    set: () => {},
    observe(value) {
      sum += value;
      count += 1;
      const at = buckets.findIndex((bound) => value <= bound);
      if (at >= 0) counts[at] = counts[at]! + 1;
    },
    lines(name) {
      let running = 0;
      const lines = buckets.map((bound, i) => {
        running += counts[i]!;
        return `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${running}`;
      });
      lines.push(`${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`);
      lines.push(`${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${count}`);
      return lines;
    },
  };
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
