import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadShapes, SimRandom } from "@penstock/testkit";
import type { MutantName } from "../mutants/hook.ts";
import { askApi, desiredFacts } from "./gather.ts";
import { Orders } from "./orders.ts";
import { outcomeFacts, withGateway } from "./outcome-facts.ts";
import { planRun, type RunKind } from "./plan.ts";
import { readStore, unsettled } from "./read-store.ts";
import { acceptedSeqs, readWitness } from "./read-witness.ts";
import { node, Rig, tenant } from "./rig.ts";
import { Setpoints } from "./setpoints.ts";
import { type Struck, strike } from "./strike.ts";
import { until } from "./until.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface RunOptions {
  readonly kind: RunKind;
  readonly seed: number;
  readonly seconds: number;
  /** readings a second */
  readonly rate: number;
  readonly mutant: MutantName | null;
}
export interface RunResult extends Verdict {
  readonly kills: number;
  /** the scenario did what it is for, every step of it */
  readonly struck: boolean;
  /** kept when something was found */
  readonly folder: string | null;
  readonly sets: number;
}

/** Room for a few minutes of readings, so that filling it up takes no time. */
const diskMegabytes = 64;
/** How long a healed system may take to deliver what it holds. */
const drainMs = 90_000;

/** One run: everything is started, the plan is played, all is healed and drained, and the verdict is given. */
export async function run(options: RunOptions): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), `penstock-faults-${options.kind}-${options.seed}-`));
  const findings: string[] = [];
  const plan = planRun(options);
  const { kind } = options;
  const rig = await Rig.start({
    ...{ folder, values: options.rate, mutant: options.mutant, random: new SimRandom(options.seed ^ 0xf4a3) },
    diskMegabytes: kind === "disk-full" ? diskMegabytes : null,
    hasOwnClock: kind === "clock-jump",
    hasFrameProxy: kind === "duplicate" || kind === "reorder",
  });
  let struck: Struck;
  let verdict: Verdict;
  let sets = 0;
  try {
    const setpoints = new Setpoints({ client: () => rig.client, random: new SimRandom(options.seed ^ 0xde51) });
    const orders = new Orders({
      ...{ client: () => rig.client, random: new SimRandom(options.seed ^ 0x0bde), durationMs: plan.durationMs },
    });
    struck = await strike({ rig, plan, seed: options.seed });
    await Promise.all([setpoints.end(), orders.end()]);
    sets = setpoints.set + orders.set;
    const desired = await desiredFacts({ rig, setpoints, withinMs: 30_000 });
    const ended = await outcomeFacts(rig, orders.orders);
    // What the plant had answered by now has been accepted two cycles later, or is unread.
    const { samples } = await rig.report();
    await sleep(2000);
    await rig.stopCollecting();
    await quiet(rig);
    const accepted = acceptedSeqs(rig.witnesses);
    const count = () => unsettled(rig.cloudFolder, accepted);
    const isDrained = await until(() => (count() === 0 ? true : null), drainMs, 250);
    if (isDrained === null)
      findings.push(`not drained: ${count()} accepted readings not stored ${drainMs / 1000} s after the end`);
    const told = await askApi(rig.client, dayAround());
    const { status } = await rig.client.nodes.get({ params: { tenant, name: node } });
    const { items: devices } = await rig.client.devices.list({ params: { tenant } });
    await rig.stopAgent();
    const outcomes = await withGateway(rig.agentFolder, ended);
    await rig.close();
    const uidOf = new Map(devices.map(({ metadata }) => [metadata.name, metadata.uid]));
    const answered = samples.map((count, i) => [`${uidOf.get(loadName(i))}/samples`, count] as const);
    verdict = judge({
      ...told,
      accepted: readWitness(rig.witnesses),
      stored: readStore(rig.cloudFolder),
      desired,
      outcomes,
      answered: new Map(answered),
      dropped: status?.outbox?.dropped ?? 0,
      unreadAllowed:
        struck.agentKills + struck.mapperKills + refusedBatches(status?.outbox?.refused ?? 0, options.rate),
    });
  } catch (error) {
    await rig.close().catch(() => {});
    writeFileSync(join(folder, "processes.log"), rig.logs.join("\n"));
    throw new Error(`Run of ${options.kind} with seed ${options.seed} broke off, see ${folder}`, { cause: error });
  }
  if (struck.misses.length > 0) findings.push(`never struck: ${struck.misses.join(", ")}`);
  findings.push(...verdict.findings);
  const isFound = findings.length > 0;
  if (isFound) {
    writeFileSync(join(folder, "findings.txt"), `${findings.join("\n")}\n`);
    writeFileSync(join(folder, "processes.log"), rig.logs.join("\n"));
  } else rmSync(folder, { recursive: true, force: true });
  const kills = struck.agentKills + struck.mapperKills + struck.cloudKills;
  const isStruck = struck.misses.length === 0 && struck.hits > 0;
  return { ...verdict, findings, kills, struck: isStruck, folder: isFound ? folder : null, sets };
}

/** Resolves when nothing has been accepted for a while. */
async function quiet(rig: Rig): Promise<void> {
  let bytes = -1;
  await until(
    () => {
      const before = bytes;
      bytes = rig.witnessBytes();
      return bytes === before ? true : null;
    },
    20_000,
    1500,
  );
}

/** @param readings refused; each refused batch of a load device holds one answered read of `samples` */
function refusedBatches(readings: number, rate: number): number {
  const smallest = Math.min(...loadShapes(rate).map(({ floats, integers }) => floats + integers + 2));
  return Math.ceil(readings / smallest);
}

/** A clock that jumps may have stamped readings with times to come. */
function dayAround(): { readonly from: string; readonly to: string } {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  return { from: at(-86_400_000), to: at(86_400_000) };
}

function loadName(i: number): string {
  return `load-${String(i + 1).padStart(2, "0")}`;
}
