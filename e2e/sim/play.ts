import type { Reading } from "@penstock/model";
import { Faults, type Struck } from "./faults.ts";
import { devices, settable, tenant } from "./plant.ts";
import { judge, type Verdict } from "./verdict.ts";
import { World } from "./world.ts";

export interface Run extends Verdict {
  readonly seed: number;
  readonly hash: string;
  readonly steps: number;
  readonly kills: number;
  /** epochs that the cloud ordered and a gateway began */
  readonly newEpochs: number;
  readonly struck: readonly Struck[];
  readonly virtualMs: number;
  /** log lines, when asked for */
  readonly lines: readonly string[];
}

const leastReadings = 1000;
const leastFaults = 5;
const producingMs = 20_000;
/**
 * Back-off up to 30 s, silence noticed after 15 s, stalls after 60 s; and the cloud's clock may have been set back by 1,000 s:
 * a call that a restored gateway knows nothing of ends by its time. What has not come to rest by then never will.
 */
const restMs = 1_200_000;

/** One run from its seed: production under faults, mending, rest, verdict. */
export async function play(seed: number, options: { readonly keepsLines?: boolean } = {}): Promise<Run> {
  const world = new World({ seed, keepsLines: options.keepsLines === true });
  const { scheduler } = world;
  const began = scheduler.clock.monotonic();
  const faults = new Faults(world, { forMs: producingMs });
  world.start();
  try {
    await scheduler.run({ forMs: producingMs });
    for (let more = 0; more < 100 && (world.ledger.readings.size < leastReadings || !faults.isDone); more++) {
      await scheduler.run({ forMs: 2000 });
    }
    if (world.ledger.readings.size < leastReadings || faults.struck.length < leastFaults) {
      world.problems.push(`Too easy: ${world.ledger.readings.size} readings, ${faults.struck.length} faults`);
    }
    faults.heal();
    await rest(world);
    await lookAtLastValues(world);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    world.problems.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
  const verdict = judge(world);
  for (const reading of world.series.readings()) {
    scheduler.trace.text(reading.property);
    scheduler.trace.number(reading.time);
    scheduler.trace.number(reading.seq);
  }
  return {
    ...verdict,
    seed,
    hash: scheduler.traceHash,
    steps: scheduler.steps,
    kills: faults.kills,
    newEpochs: world.sites.reduce((sum, { log }) => sum + log.epochs.length, 0),
    struck: faults.struck,
    virtualMs: (scheduler.clock.monotonic() - began) / 1000,
    lines: [world.cloudLog, ...world.sites.map(({ log }) => log)]
      .flatMap(({ lines }) => lines)
      .sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b)),
  };
}

async function rest(world: World): Promise<void> {
  let isSet = false;
  for (let waited = 0; waited < restMs; waited += 1000) {
    await world.scheduler.run({ forMs: 1000 });
    if (!isSet && world.cloud !== null) {
      // One more of each, with time enough: these must be confirmed, whatever became of those before.
      for (const property of settable) world.cloud.desk.set(property, restMs);
      isSet = true;
      continue;
    }
    for (const site of world.sites.slice(1)) {
      if (!site.isWanted || !site.isAtRest) continue;
      site.isWanted = false;
      site.process?.end("exit");
    }
    const isQuiet = world.gateway.isAtRest && world.sites.slice(1).every((site) => !site.isWanted);
    if (isSet && isQuiet && world.desired.isSettled) return;
  }
  const waiting = world.sites.map(({ name, running, open, isAtRest, failedStarts }) => {
    const stats = running?.outbox.stats();
    const why = failedStarts.at(-1) ?? "";
    return `${name} ${isAtRest ? "rests" : "waits"}: ${stats?.readings} in the outbox, ${open.size} batches open ${why}`;
  });
  world.problems.push(`Not at rest ${restMs / 1000} s after the last fault: ${waiting.join("; ")}`);
}

/** The last values as an application of the cloud would get them now. */
async function lookAtLastValues(world: World): Promise<void> {
  const { cloud, cloudProcess } = world;
  cloudProcess?.run(async () => {
    for (const { uid, properties } of devices) {
      const names = properties.map(({ name }) => name);
      const found: ReadonlyMap<string, Reading> = await cloud!.lastValues.get(tenant, uid, names);
      for (const [property, reading] of found) world.lastValues.set(`${uid}/${property}`, reading);
    }
  });
  // A store may be slow now and then.
  await world.scheduler.run({ forMs: 10_000 });
}
