import type { Row } from "@penstock/rules";
import { batchReader } from "@penstock/rules";
import { type Bench, row } from "../bench.ts";
import { bestRate, counting, demo, temperatures, typed } from "./rules-fixture.ts";

const clock = () => performance.now();
const roundMs = (smoke: boolean) => (smoke ? 30 : 2000);

/** Baseline and engine in turns of one another, so that both have the same machine. */
function both(smoke: boolean, ours: () => number, theirs: () => number) {
  const ms = roundMs(smoke);
  for (const work of [ours, theirs]) work();
  return { value: bestRate(ours, { ms, clock }), baselineValue: bestRate(theirs, { ms, clock }) };
}

export const rulesFilter: Bench = {
  name: "rules-filter",
  async *run({ smoke }) {
    const batches = temperatures(4096);
    const { plan, runner, counted } = counting("SELECT temperature FROM `tank` WHERE temperature > 90", demo);
    const read = batchReader(plan.sources[0]!, {});
    const ours = () => {
      for (const batch of batches) runner.push(read(batch), 0);
      return batches.length;
    };
    let kept = 0;
    const theirs = () => {
      for (const batch of batches) {
        const value = (batch.columns[10] as Float64Array | undefined)?.[0] ?? columnOf(batch.columns)[0]!;
        if (value > 90) keep({ temperature: value });
      }
      return batches.length;
    };
    const keep = (_result: { readonly temperature: number }) => {
      kept++;
    };
    const { value, baselineValue } = both(smoke, ours, theirs);
    if (counted.rows === 0 || kept === 0) throw new Error("The filter kept nothing");
    yield row({
      bench: "rules-filter",
      metric: "readings",
      value,
      unit: "readings/s",
      baseline: "hand-written loop",
      baselineValue,
    });
  },
};

function columnOf(columns: readonly unknown[]): Float64Array {
  return columns.find((one) => one instanceof Float64Array)!;
}

export const rulesShared: Bench = {
  name: "rules-300-shared",
  async *run({ smoke }) {
    const batches = temperatures(256);
    const rules = Array.from({ length: 300 }, (_, at) =>
      counting(`SELECT temperature FROM \`tank\` WHERE temperature > ${at % 100}`, demo),
    );
    const read = batchReader(rules[0]!.plan.sources[0]!, {});
    const ours = () => {
      for (const batch of batches) {
        const one = read(batch);
        for (const { runner } of rules) runner.push(one, 0);
      }
      return batches.length * rules.length;
    };
    const bounds = rules.map((_, at) => at % 100);
    let kept = 0;
    const theirs = () => {
      for (const batch of batches) {
        const value = columnOf(batch.columns)[0]!;
        for (const bound of bounds) if (value > bound) kept += Object.keys({ temperature: value }).length;
      }
      return batches.length * bounds.length;
    };
    const { value, baselineValue } = both(smoke, ours, theirs);
    if (kept === 0) throw new Error("The loop kept nothing");
    yield row({
      bench: "rules-300-shared",
      metric: "evaluations",
      value,
      unit: "evaluations/s",
      baseline: "hand-written loops",
      baselineValue,
    });
  },
};

export const rulesWindow: Bench = {
  name: "rules-window",
  async *run({ smoke }) {
    const { runner, counted } = counting("SELECT k, avg(a) AS mean FROM s GROUP BY k, TUMBLINGWINDOW(ss, 1)", demo);
    const rows = Array.from({ length: 4096 }, (_, at) => ({ k: `machine-${at % 100}`, a: at % 60 }));
    let now = 0;
    const ours = () => {
      for (const { k, a } of rows) {
        now += 100;
        runner.push({ at: now, source: 0, values: [k, a] }, now);
      }
      return rows.length;
    };
    let closed = 0;
    let ends = 1_000_000;
    let at = 0;
    let sums = new Map<string, { sum: number; count: number }>();
    const theirs = () => {
      for (const { k, a } of rows) {
        at += 100;
        if (at >= ends) {
          for (const [key, { sum, count }] of sums) closed += key.length > 0 && sum / count >= 0 ? 1 : 0;
          sums = new Map();
          ends += 1_000_000;
        }
        const known = sums.get(k);
        if (known === undefined) sums.set(k, { sum: a, count: 1 });
        else {
          known.sum += a;
          known.count++;
        }
      }
      return rows.length;
    };
    const { value, baselineValue } = both(smoke, ours, theirs);
    if (!smoke && (counted.rows === 0 || closed === 0)) throw new Error("No window closed");
    yield row({
      bench: "rules-window",
      metric: "readings",
      value,
      unit: "readings/s",
      baseline: "hand-written loop",
      baselineValue,
    });
  },
};

export const rulesJoin: Bench = {
  name: "rules-join",
  async *run({ smoke }) {
    const catalog = typed(
      new Map([
        ["id", { t: "bigint" }],
        ["a", { t: "float" }],
      ]),
    );
    const sql =
      "SELECT l.id AS id, l.a AS a, r.a AS b FROM l INNER JOIN r ON l.id = r.id GROUP BY TUMBLINGWINDOW(ss, 1)";
    const { plan, runner, counted } = counting(sql, catalog);
    const order = plan.sources.map(({ columns }) => columns.map((one) => (one.t === "column" ? one.name : "")));
    const values = Array.from({ length: 4096 }, (_, at) => ({ id: BigInt(at >> 1), a: at / 2, source: at % 2 }));
    const rows = values.map(({ source, ...value }): Omit<Row, "at"> => {
      const named = value as { readonly [name: string]: bigint | number };
      return { source, values: order[source]!.map((name) => named[name]!) };
    });
    let now = 0;
    const ours = () => {
      for (const { source, values: given } of rows) {
        now += 244;
        runner.push({ at: now, source, values: given }, now);
      }
      return rows.length;
    };
    let joined = 0;
    const theirs = () => {
      const right = new Map<bigint, number[]>();
      for (const { id, a, source } of values) {
        if (source === 0) continue;
        const same = right.get(id);
        if (same === undefined) right.set(id, [a]);
        else same.push(a);
      }
      for (const { id, a, source } of values) {
        if (source === 1) continue;
        for (const b of right.get(id) ?? []) joined += Object.keys({ id, a, b }).length;
      }
      return values.length;
    };
    const { value, baselineValue } = both(smoke, ours, theirs);
    if (!smoke && (counted.rows === 0 || joined === 0)) throw new Error("Nothing was joined");
    yield row({
      bench: "rules-join",
      metric: "rows",
      value,
      unit: "rows/s",
      baseline: "hand-written hash join",
      baselineValue,
    });
  },
};
