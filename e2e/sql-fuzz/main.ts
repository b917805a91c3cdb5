/**
 * Noise into the streaming SQL: `node e2e/sql-fuzz/main.ts [--queries 1000000] [--events 10000000] [--seed N]`. Mutated queries are read in
 * both modes, and are read or refused with a place; events of any shape run through random valid rules, and are results or
 * errors of their rows; memory stays as it is, and ten times the length of a query takes at most fifteen times the time.
 * Last line: one object; exit 1 when anything is found.
 */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AppError } from "@penstock/model";
import {
  type ObjectValue,
  parse,
  planQuery,
  QueryRunner,
  rowReader,
  type StreamSchema,
  type TableSchema,
} from "@penstock/rules";
import { SimRandom } from "@penstock/testkit";
import { testHost } from "../../packages/rules/src/functions/test-host.ts";
import { mutated, randomMessage, randomQuery } from "./queries.ts";

const { values } = parseArgs({
  options: {
    queries: { type: "string", default: "1000000" },
    events: { type: "string", default: "10000000" },
    seed: { type: "string", default: "1" },
  },
});
const random = new SimRandom(Number(values.seed));
const findings: string[] = [];
const modes = ["compat", "strict"] as const;

function readMutated(count: number): { readonly read: number; readonly refused: number } {
  let [read, refused] = [0, 0];
  for (let n = 0; n < count && findings.length < 10; n++) {
    const sql = mutated(randomQuery(random), random);
    try {
      parse(sql, random.pick(modes));
      read++;
    } catch (error) {
      if (error instanceof AppError && error.code === "rules/bad-sql") refused++;
      else findings.push(`${JSON.stringify(sql)}: ${String(error)}`);
    }
  }
  return { read, refused };
}

/** Streams and tables that queries name: other is a stream, as is demo. */
const tables: Readonly<Record<string, TableSchema>> = {
  scanned: { t: "scan", rows: 3, key: null },
  keyed: { t: "scan", rows: null, key: "a" },
  memory: { t: "memory", key: "a" },
  asked: { t: "lookup", keepMicros: 5_000_000, most: 8 },
};
const schemaOf = (name: string): StreamSchema => {
  const table = tables[name];
  return { name, columns: null, ...(table !== undefined && { table }) };
};

/** One rule of a random kind over random events. @returns null where the query is refused, with its place */
function runRule(sql: string, mode: "compat" | "strict", events: number): { rows: number; errors: number } | null {
  const counts = { rows: 0, errors: 0 };
  let at = 1_700_000_000_000_000;
  try {
    const plan = planQuery({
      ...{ sql, mode, ruleId: "fuzz", timeZone: "Europe/Berlin", host: testHost, startedAt: 0 },
      ...{ offsetAt: () => 3_600_000_000, catalog: schemaOf },
    });
    const readers = plan.sources.map((source) => rowReader(source, schemaOf(source.stream)));
    const output = {
      rows: (found: readonly object[]) => {
        counts.rows += found.length;
      },
      error: () => {
        counts.errors++;
      },
    };
    const runner = new QueryRunner(plan, output);
    for (let event = 0; event < events; event++) {
      at += random.between(0, 200_000);
      runner.tick(at, at);
      const source = random.between(0, readers.length - 1);
      const row = readers[source]!({ content: randomMessage(random), at });
      runner.push(row, at);
      // Some answers come late, and some say that there is none.
      for (const { table, key } of random.chance(0.3) ? runner.wanted : []) {
        const rows = random.chance(0.7) ? [randomMessage(random) as ObjectValue] : [];
        const answer = random.chance(0.1) ? { failure: "away" } : { rows };
        runner.answer([{ table, key, ...answer }], at);
      }
    }
    runner.tick(at + 60_000_000, at + 60_000_000);
    return counts;
  } catch (error) {
    // A constant that cannot be calculated is refused when the rule is saved.
    if (error instanceof AppError && error.code === "rules/bad-sql") return null;
    findings.push(`${mode} ${sql}: ${error instanceof Error ? error.stack : String(error)}`);
    return counts;
  }
}

function runRules(count: number): { readonly rules: number; readonly rows: number; readonly errors: number } {
  const eventsEach = 2000;
  let [rules, rows, errors] = [0, 0, 0];
  for (let n = 0; n < count && findings.length < 10; ) {
    const counts = runRule(randomQuery(random), random.pick(modes), eventsEach);
    if (counts === null) continue;
    rules++;
    rows += counts.rows;
    errors += counts.errors;
    n += eventsEach;
    if (n % 1_000_000 < eventsEach) memory();
  }
  return { rules, rows, errors };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const held: number[] = [];
/** What is still held after a million events; between, garbage comes and goes with what random windows keep. */
function memory(): void {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  held.push(Math.round((heapUsed + external) / 1e5) / 10);
}

/** How much longer a query of ten times the length takes, at worst of several shapes. */
function growth(): number {
  const shapes = [
    (n: number) => `SELECT ${"a, ".repeat(n)}b FROM demo`,
    (n: number) => `SELECT a FROM demo WHERE ${"a > 1 OR ".repeat(n)}TRUE`,
    (n: number) => `SELECT a FROM demo WHERE a IN (${"'x', ".repeat(n)}'y')`,
    (n: number) => `SELECT a FROM demo WHERE ${"(b = 'it' AND c) OR ".repeat(n)}TRUE`,
    (n: number) => `SELECT concat(${"'x', ".repeat(n)}'y') AS c FROM demo /*${"-".repeat(n)}*/`,
  ];
  // Processor time, and as long for the short as for the long: others work on the machine too.
  const time = (sql: string, times: number) => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 15; round++) {
      const start = process.cpuUsage();
      for (let n = 0; n < times; n++) parse(sql, "strict");
      const { user, system } = process.cpuUsage(start);
      best = Math.min(best, (user + system) / times);
    }
    return best;
  };
  return Math.max(...shapes.map((shape) => time(shape(2500), 20) / time(shape(250), 200)));
}

const read = readMutated(Number(values.queries));
const ran = runRules(Number(values.events));
memory();
const grows = Number(growth().toFixed(1));
const [heldEarly, heldEnd] = [held[0]!, held.at(-1)!];
if (heldEnd > heldEarly * 1.1 + 5) findings.push(`memory grew: ${held.join(", ")} MB`);
if (grows > 15) findings.push(`ten times the length took ${grows} times the time`);
for (const finding of findings) console.log(finding);
console.log(
  JSON.stringify({
    isSound: findings.length === 0,
    seed: Number(values.seed),
    ...read,
    ...ran,
    heldEarlyMb: heldEarly,
    heldEndMb: heldEnd,
    timesForTenTimes: grows,
  }),
);
process.exitCode = findings.length === 0 ? 0 : 1;
