import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type AssignedSet, codeOf, errors, type Micros, type ReadingBatch, readingsOf } from "@penstock/model";
import { metricsRegistry, realFiles, silentLog, systemClock } from "@penstock/runtime";
import { createCollect } from "../../packages/edge/src/collect/collect.ts";
import { openDmi } from "../../packages/edge/src/collect/dmi/dmi.ts";
import { FakeProcesses } from "../../packages/edge/src/collect/test/fake-mapper.ts";
import { assigned, connection, device, property } from "../../packages/edge/src/collect/test/test-set.ts";
import { rssAfterMs, rssMayGrow, rssMb } from "./rss.ts";
import { heldAt, places, spoiltPlace } from "./shape.ts";

export interface GatewayVerdict {
  readonly seconds: number;
  readonly seed: number;
  /** calls and connections that meant no good */
  readonly noise: number;
  /** reports of the honest mapper that were acknowledged, each found on the bus */
  readonly told: number;
  readonly slowestMs: number;
  /** of the other mapper: values that were right, and by reason those that were none */
  readonly good: number;
  readonly bad: Readonly<Record<string, number>>;
  /** what the gateway counted */
  readonly counted: Readonly<Record<string, number>>;
  readonly rssEarlyMb: number;
  readonly rssEndMb: number;
  /** what should not have happened; empty when all is well */
  readonly findings: readonly string[];
}
interface Counted {
  readonly told: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly made: number;
  readonly lastStatus: number;
}

/** A call of the honest mapper that took longer has been held up by the others. */
const slowMs = 5000;

/** The gateway's DMI as far as the bus, with one mapper that makes noise at both of its ends and one that is honest. */
export async function playGatewayNoise(options: {
  readonly seconds: number;
  readonly seed: number;
}): Promise<GatewayVerdict> {
  const { seconds, seed } = options;
  const folder = mkdtempSync(join(tmpdir(), "penstock-dmi-noise-"));
  const clock = systemClock();
  const metrics = metricsRegistry();
  const judge = new Judge();
  const dmi = await openDmi({
    ...{ socket: join(folder, "dmi.sock"), folder: join(folder, "dmi"), files: realFiles(), clock, log: silentLog },
    ...{ metrics, isInstalled: () => false },
  });
  const collect = createCollect({
    ...{ clock, log: silentLog, metrics, processes: new FakeProcesses(clock as never), dmi },
    files: { list: async () => [], exists: async () => false } as never, // no mapper is installed
    bus: { publish: async (batch) => judge.take(batch), subscribe: () => () => {} },
    wallOf: () => ({ time: (Date.now() * 1000) as Micros, uncertain: null }),
    ...{ mapperFolders: [], hostCommand: { command: "node", args: [] }, mapperData: folder },
  });
  collect.apply(setOf(0));
  const peer = fork(join(import.meta.dirname, "noisy-mapper.ts"), [folder, `${seed}`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(peer, "exit");
  try {
    await once(peer, "message");
    const began = performance.now();
    let rssEarly = 0;
    const acts: Promise<void>[] = [];
    for (let round = 1; performance.now() - began < seconds * 1000; round++) {
      // Every change is told to the mapper, and answered with noise.
      collect.apply(setOf(round));
      if (round % 4 === 0) acts.push(judge.act(collect.access, round % places));
      await wait(250);
      if (rssEarly === 0 && performance.now() - began > rssAfterMs) rssEarly = rssMb();
    }
    peer.send("quiet");
    const [counted] = (await once(peer, "message")) as [Counted];
    await Promise.all(acts);
    await judge.settled(counted.told);
    const rssEnd = rssMb();
    // What the end of the mappers brings is no finding.
    const findings = [...judge.findings];
    if (rssEarly > 0 && rssEnd > rssEarly * rssMayGrow) {
      findings.push(`memory grew from ${rssEarly.toFixed(1)} to ${rssEnd.toFixed(1)} MB`);
    }
    if (counted.refused > 0) findings.push(`${counted.refused} honest calls were refused`);
    if (counted.slowestMs > slowMs) findings.push(`an honest call took ${Math.round(counted.slowestMs)} ms`);
    if (counted.lastStatus !== 0) findings.push(`a call that means well again ended with ${counted.lastStatus}`);
    const totals = Object.entries(metrics.totals()).filter(([name, total]) => /_dmi_/.test(name) && total > 0);
    if (!totals.some(([name]) => name.includes("refused"))) findings.push("nothing was refused: there was no noise");
    return {
      ...{ seconds, seed, noise: counted.made, told: counted.told, slowestMs: Math.round(counted.slowestMs) },
      ...{ good: judge.good, bad: judge.bad, counted: Object.fromEntries(totals) },
      ...{ rssEarlyMb: Math.round(rssEarly), rssEndMb: Math.round(rssEnd), findings },
    };
  } finally {
    peer.kill("SIGKILL");
    await exited;
    await collect.close();
    await dmi.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function setOf(round: number): AssignedSet {
  const wild = Array.from({ length: places }, (_, i) => property(`p${i}`, { type: "int64", access: "readWrite" }));
  return assigned(
    [
      device("honest", [property("n", { type: "int64" })], "honest-bus"),
      device("wild", [...wild, property(spoiltPlace, { type: "string" })], "wild-bus"),
      // A device whose telling failed has a pause of its own, so there are many.
      ...Array.from({ length: 20 }, (_, i) =>
        device(`told-${i}`, [property("x", { unit: `{u${round}}` })], "wild-bus"),
      ),
    ],
    [
      connection("honest-bus", { protocol: "honest" }),
      connection("wild-bus", { protocol: "wild", settings: { mapper: "wild" } }),
    ],
  );
}

/** Looks at every reading on the bus. */
class Judge {
  readonly findings: string[] = [];
  readonly bad: Record<string, number> = {};
  good = 0;
  #counted = 0;
  readonly #rightAt = new Set<string>();
  #isSettling = false;

  take(batch: ReadingBatch): void {
    for (const { device, property, value, reason } of readingsOf(batch)) {
      if (reason !== null && !(reason in errors)) this.#find(`no reason of the table: "${reason}"`);
      if (device === "honest") this.#honest(value, reason);
      else if (property !== spoiltPlace) this.#wild(property, value, reason);
    }
  }

  async act(access: ReturnType<typeof createCollect>["access"], place: number): Promise<void> {
    const given = new AbortController();
    const hung = setTimeout(() => this.#find("a write took longer than 40 s"), 40_000);
    try {
      await access.write("wild" as never, [{ property: `p${place}`, value: BigInt(heldAt(place)) }], given.signal);
    } catch (error) {
      if (codeOf(error) === "internal") this.#find(`a write failed without a code: ${String(error)}`);
    } finally {
      clearTimeout(hung);
    }
  }

  /** All that was acknowledged has come, and the noisy mapper's last values, which are right. */
  async settled(told: number): Promise<void> {
    const until = performance.now() + 20_000;
    this.#isSettling = true;
    this.#rightAt.clear();
    while ((this.#counted < told || this.#rightAt.size < places) && performance.now() < until) await wait(50);
    if (this.#counted !== told) this.#find(`${told} values were acknowledged, ${this.#counted} came`);
    if (this.#rightAt.size < places) this.#find(`only ${this.#rightAt.size} of ${places} values came in the end`);
  }

  #honest(value: unknown, reason: string | null): void {
    if (value === null) {
      // Before its first value there is none, and in the end it is silent.
      if (this.#counted > 0 && !this.#isSettling) this.#find(`an honest value is bad: ${reason}`);
    } else if (value === BigInt(this.#counted + 1)) this.#counted++;
    else this.#find(`after ${this.#counted} came ${String(value)}`);
  }

  #wild(property: string, value: unknown, reason: string | null): void {
    const right = BigInt(heldAt(Number(property.slice(1))));
    if (value === null) this.bad[reason ?? "none"] = (this.bad[reason ?? "none"] ?? 0) + 1;
    else if (value !== right) this.#find(`${property} is ${String(value)}, not ${right}`);
    else {
      this.good++;
      this.#rightAt.add(property);
    }
  }

  #find(what: string): void {
    // One fault may show in every value: the first few tell what it is.
    if (this.findings.length < 20) this.findings.push(what);
  }
}
