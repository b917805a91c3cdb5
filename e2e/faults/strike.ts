import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SimRandom } from "@penstock/testkit";
import { cutPower } from "./cut-power.ts";
import type { Aim, Plan, Step } from "./plan.ts";
import type { Rig } from "./rig.ts";
import { fillUp } from "./small-disk.ts";
import { stallStore } from "./stall-store.ts";
import { until } from "./until.ts";

export interface Struck {
  /** SIGKILLs that hit, by victim */
  agentKills: number;
  mapperKills: number;
  cloudKills: number;
  /** steps that did to the processes or the line what they are for */
  hits: number;
  /** steps that found nothing to do it to */
  misses: string[];
}

/** How long a stalled store is left waiting before the strike; SQLite itself gives up after five seconds. */
const stalledMs = 700;
const reconnectMs = 40_000;
/** How long a strike waits for the moment that it is aimed at; then it strikes anyway. */
const aimMs = 4000;

/** Plays the plan against the rig. Everything that was killed runs again and the line is whole when it resolves. */
export async function strike(options: {
  readonly rig: Rig;
  readonly plan: Plan;
  readonly seed: number;
}): Promise<Struck> {
  const { rig, plan } = options;
  const struck: Struck = { agentKills: 0, mapperKills: 0, cloudKills: 0, hits: 0, misses: [] };
  const random = new SimRandom(options.seed ^ 0x5eed);
  const turns = { agent: Promise.resolve(), cloud: Promise.resolve(), line: Promise.resolve() };
  const startedAt = performance.now();
  const atTime = (ms: number) => sleep(Math.max(0, startedAt + ms - performance.now()));
  const hit = (isHit: boolean, step: Step) => {
    if (isHit) struck.hits++;
    else struck.misses.push(`${step.act} at ${step.atMs} ms`);
  };

  async function killAgent(step: Extract<Step, { act: "kill" | "power-cut" }>): Promise<void> {
    await cutBefore(step);
    await aimAt(rig, step.aim);
    const isHit = await rig.killAgent();
    if (isHit) struck.agentKills++;
    if (step.act === "power-cut") {
      const { folder, syncWitnesses } = { folder: rig.agentFolder, syncWitnesses: rig.syncWitnesses };
      const done = cutPower({ folder, syncWitnesses, garbageBytes: step.garbage, random });
      hit(isHit && done.spoilt > 0, step);
    } else hit(isHit, step);
    await sleep(step.downMs);
    await rig.startAgent();
    if (step.backlogMs === 0) return;
    await until(() => (rig.witnessBytes() > 0 ? true : null), 5000);
    rig.proxy.resume();
  }

  async function cutBefore({ backlogMs }: { readonly backlogMs: number }): Promise<void> {
    if (backlogMs === 0) return;
    rig.proxy.set({ kind: "cut" });
    await sleep(backlogMs);
  }

  async function killMapper(step: Extract<Step, { act: "kill" }>): Promise<void> {
    const pid = await until(() => rig.mapperPid(), 5000, 20);
    await aimAt(rig, step.aim);
    const isHit = pid !== null && endProcess(pid);
    if (isHit) struck.mapperKills++;
    // Its death is noticed and repaired: another process runs the mapper soon.
    const next = await until(() => (rig.mapperPid() === pid ? null : rig.mapperPid()), 15_000);
    hit(isHit && next !== null, step);
  }

  async function killCloud(step: Extract<Step, { act: "kill" }>): Promise<void> {
    const stall = step.aim === "storing" ? await stallStore(rig.cloudFolder) : null;
    await aimAt(rig, step.aim);
    // Long enough for an answer that does not wait for the store to reach the gateway.
    if (stall !== null) await sleep(stalledMs);
    const isHit = await rig.killCloud();
    stall?.release();
    if (isHit) struck.cloudKills++;
    hit(isHit, step);
    await sleep(step.downMs);
    await rig.startCloud();
    stall?.close();
  }

  async function breakLine(step: Extract<Step, { act: "line" }>): Promise<void> {
    // After the last fault the gateway takes a while to come back, and only then is there a line to break.
    const isBusy = () => (rig.proxy.openConnections > 0 ? true : null);
    if (step.fault.kind === "cut") await until(isBusy, reconnectMs);
    await aimAt(rig, step.aim);
    const before = rig.proxy.bytesUp;
    const isHit = rig.proxy.openConnections > 0 && before > 0;
    rig.proxy.set(step.fault);
    hit(isHit, step);
    await sleep(step.forMs);
    rig.proxy.resume();
  }

  async function mangleFrames(step: Extract<Step, { act: "frames" }>): Promise<void> {
    if (rig.frames === null) throw new Error("No frame proxy stands in the line");
    rig.frames.how = step.how;
    await sleep(step.forMs);
    rig.frames.how = "pass";
    hit(rig.frames.mangled > 0, step);
  }

  async function fillDisk(step: Extract<Step, { act: "fill-disk" }>): Promise<void> {
    const filler = join(rig.agentFolder, "filler");
    const bytes = fillUp(filler);
    // What the agent frees meanwhile is filled up too.
    const filling = setInterval(() => fillUp(filler), 200);
    await sleep(step.forMs);
    clearInterval(filling);
    rmSync(filler);
    hit(bytes > 0, step);
  }

  function play(step: Step): Promise<void> {
    const inTurn = (who: keyof typeof turns, work: () => Promise<void>) => {
      turns[who] = turns[who].then(work);
      return turns[who];
    };
    switch (step.act) {
      case "kill":
        if (step.who === "cloud") return inTurn("cloud", () => killCloud(step));
        return inTurn("agent", () => (step.who === "agent" ? killAgent(step) : killMapper(step)));
      case "power-cut":
        return inTurn("agent", () => killAgent(step));
      case "line":
        return inTurn("line", () => breakLine(step));
      case "frames":
        return mangleFrames(step);
      case "fill-disk":
        return inTurn("agent", () => fillDisk(step));
      case "clock":
        hit(rig.setClock(step.offsetS), step);
        return Promise.resolve();
    }
  }

  await Promise.all([
    ...plan.steps.map(async (step) => {
      await atTime(step.atMs);
      await play(step);
    }),
    atTime(plan.durationMs),
  ]);
  return struck;
}

/** Resolves in the moment that the strike is aimed at, or when it does not come. */
async function aimAt(rig: Rig, aim: Aim): Promise<void> {
  switch (aim) {
    case "at-once":
      return;
    case "accepted": {
      const before = rig.witnessBytes();
      const deadline = performance.now() + aimMs;
      while (rig.witnessBytes() === before && performance.now() < deadline) await sleep(1);
      return;
    }
    case "sent":
    case "storing":
      return passed(rig, (up) => up >= batchBytes);
    case "acknowledged":
      return passed(rig, (up, down) => up >= batchBytes && down > 0);
  }
}

/** Heartbeats are smaller, batches are larger. */
const batchBytes = 1000;

/** @param isEnough told of the bytes that went up since the call, and of those down since a batch went up */
function passed(rig: Rig, isEnough: (up: number, down: number) => boolean): Promise<void> {
  return new Promise((resolve) => {
    let up = 0;
    let down = 0;
    const finish = () => {
      clearTimeout(late);
      rig.proxy.onPassed.delete(listener);
      resolve();
    };
    const late = setTimeout(finish, aimMs);
    const listener = (way: "up" | "down", bytes: number) => {
      if (way === "up") up += bytes;
      else if (up >= batchBytes) down += bytes;
      if (isEnough(up, down)) finish();
    };
    rig.proxy.onPassed.add(listener);
  });
}

function endProcess(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
