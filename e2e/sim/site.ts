import { codeOf, type DeviceUid, type Reading, type ReadingBatch, readingsOf } from "@penstock/model";
import { type SimDisk, type SimEnd, type SimProcess, type SimRandom, simDisk } from "@penstock/testkit";
import type { OutboxOptions } from "../../packages/edge/src/outbox/outbox-options.ts";
import { type RunningGateway, startGateway } from "./gateway.ts";
import { textOf } from "./ledger.ts";
import { MachineClock } from "./machine-clock.ts";
import { devices, machine, Plant } from "./plant.ts";
import { ReportedWitness } from "./reported-witness.ts";
import { type RunLog, runLog } from "./sim-log.ts";
import type { World } from "./world.ts";

export interface SiteOptions {
  readonly name: string;
  readonly random: SimRandom;
  /** first number of its plant's counter: no two sites' readings are alike */
  readonly first: number;
  readonly everyMs: number;
  readonly checkpointEveryMs: number;
  readonly hasBattery: boolean;
  readonly outbox: Pick<OutboxOptions, "bounds" | "policy" | "segmentBytes" | "cacheBytes">;
}

const diskParts = [
  ["/data/outbox/cursors", "cursors"],
  ["/data/outbox", "outbox"],
  ["/data/twin/reported", "reported"],
  ["/data/twin", "twin"],
  ["/data/resources", "resources"],
  ["/data/time", "time"],
] as const;
const partOfPath = new Map<string, string>();

/** "disk sync outbox": what is done, and to what part of the gateway's data */
function diskStep(operation: string, path: string): string {
  let part = partOfPath.get(path);
  if (part === undefined) {
    part = diskParts.find(([start]) => path.startsWith(start))?.[1] ?? "data";
    partOfPath.set(path, part);
  }
  return `disk ${operation} ${part}`;
}

/** One machine at the edge with its disk, its clock and its plant; its gateway process comes and goes. */
export class Site {
  readonly name: string;
  readonly random: SimRandom;
  readonly disk: SimDisk;
  readonly clock: MachineClock;
  readonly plant: Plant;
  readonly log: RunLog;
  readonly outbox: SiteOptions["outbox"];
  readonly everyMs: number;
  /** produced and not settled by the present process */
  readonly open = new Set<ReadingBatch>();
  /** newest by its own time of what this process has put on the bus, by device */
  readonly newest = new Map<DeviceUid, Reading>();
  isProducing = true;
  isWanted = true;
  process: SimProcess | null = null;
  running: RunningGateway | null = null;
  readonly failedStarts: string[] = [];
  readonly reported: ReportedWitness;
  /** dropped after the copy of the disk that was put back: the outbox does not know of it any more */
  readonly dropsUndone: RunLog["drops"] = [];
  readonly checkpointEveryMs: number;
  readonly #uncertain = new Set<DeviceUid>();
  #backup: (() => void) | null = null;
  #unreadable = 0;
  #wasOff = false;
  /** versions that an older copy of the disk may not know */
  readonly #forgiven = new Map<string, number>();
  readonly #world: World;
  readonly #options: SiteOptions;

  constructor(world: World, options: SiteOptions) {
    const { name, random, everyMs, checkpointEveryMs, outbox } = options;
    this.#world = world;
    this.#options = options;
    this.name = name;
    this.random = random;
    this.outbox = outbox;
    this.everyMs = everyMs;
    this.checkpointEveryMs = checkpointEveryMs;
    this.reported = new ReportedWitness(world.ledger);
    this.clock = new MachineClock(world.scheduler);
    this.plant = new Plant({ scheduler: world.scheduler, random: random.fork(), first: options.first });
    const now = () => world.scheduler.clock.monotonic();
    this.log = runLog({ who: name, keepsLines: world.keepsLines, now });
    const disk = random.fork();
    this.disk = simDisk({
      random: disk,
      step: (operation, path) =>
        new Promise((resolve) => {
          const isSync = operation === "sync" || operation === "syncFolder";
          const ms = disk.number() * (disk.chance(0.01) ? 300 : isSync ? 6 : 0.3);
          this.process?.later(ms, diskStep(operation, path), resolve);
        }),
    });
  }

  /** The rule of the twin: forward by source time only, and whatever follows a doubtful time is newer. */
  noteReported(batch: ReadingBatch): void {
    const { device } = batch.layout;
    const reading = readingsOf(batch).find(({ property }) => property === "level");
    if (reading === undefined) return;
    const before = this.newest.get(device);
    if (before !== undefined && !this.#uncertain.has(device) && reading.time < before.time) return;
    this.newest.set(device, reading);
    if (batch.clock === null) this.#uncertain.delete(device);
    else this.#uncertain.add(device);
  }

  /** The gateway has started: what its twin brought back is held to what was accepted. */
  twinOpened({ twin, outbox }: Pick<RunningGateway, "outbox" | "twin">): void {
    const { ledger, tooOld } = this.#world;
    this.#wasOff = false;
    const { unreadable } = this.log;
    if (unreadable.count > this.#unreadable) this.reported.excuse(outbox.bounds().highest);
    this.#unreadable = unreadable.count;
    this.#findForgotten(twin);
    const { bytes, ageMs } = this.outbox.bounds;
    for (const text of this.reported.tooOld({ reported: twin.reported, mayDrop: bytes < 1e6 || ageMs < 1e6 })) {
      tooOld.push(`${this.name}: ${text}`);
    }
    for (const { uid } of devices) {
      const level = twin.reported(uid).get("level");
      if (level === undefined) continue;
      this.newest.set(uid, level);
      if (ledger.readings.get(textOf(level))?.clock !== null) this.#uncertain.add(uid);
    }
  }

  /** What it told the cloud that it has, it has, whatever befell it: on disk before it is announced. */
  #findForgotten(twin: RunningGateway["twin"]): void {
    const { desired, sites, tooOld } = this.#world;
    if (sites.length > 1) return;
    const views = new Map(twin.desired(machine.uid).map((view) => [view.property, view.version]));
    for (const { property, version, isTaken } of desired.rows.values()) {
      if (!isTaken || version <= (this.#forgiven.get(property) ?? 0)) continue;
      const known = views.get(property) ?? 0;
      if (known < version) tooOld.push(`${this.name} took ${property}#${version} and knows ${known} after a restart`);
    }
  }

  /**
   * Copies the disk; the next `restore` puts the last copy back. Only while the cloud has agreed to the outbox's numbers:
   * see its agreement.ts for what a copy made between a restart and the next session cannot tell.
   */
  backup(): void {
    if (this.running?.outbox.bounds().agreed !== true) return;
    const disk = this.disk.copy();
    const { accepted } = this.#world.ledger;
    const putBackReported = this.reported.copy();
    const drops = this.log.drops.length;
    this.#backup = () => {
      this.disk.restore(disk);
      this.#world.ledger.diskPutBack(this.name, accepted);
      putBackReported();
      this.dropsUndone.push(...this.log.drops.splice(drops));
      this.plant.disks++;
      for (const { property, version } of this.#world.desired.rows.values()) this.#forgiven.set(property, version);
    };
  }

  get hasBackup(): boolean {
    return this.#backup !== null;
  }

  /** The power goes, and the machine comes back with the disk as it was copied. */
  restore(): void {
    this.process?.end("power");
    this.#backup?.();
  }

  start(): void {
    const world = this.#world;
    this.process = world.scheduler.spawn(this.name, async (process) => {
      try {
        this.running = await startGateway(world, this, process);
      } catch (error) {
        if (!process.isAlive) return;
        // As a supervisor: the agent says why it cannot start, ends, and is started again.
        this.failedStarts.push(`${codeOf(error)}: ${error instanceof Error ? error.message : String(error)}`);
        const isDisk = /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? "");
        if ((codeOf(error) === "internal" && !isDisk) || codeOf(error).endsWith("/corrupt")) throw error;
        process.end("exit");
      }
    });
    this.process.onEnd((how) => this.#ended(how));
  }

  #ended(how: SimEnd): void {
    const world = this.#world;
    world.ledger.crashed(this.open);
    this.open.clear();
    this.newest.clear();
    this.#uncertain.clear();
    this.running = null;
    if (how === "power") {
      this.disk.crash();
      this.clock.reboot({ hasBattery: this.#options.hasBattery });
      this.#wasOff = true;
    } else this.disk.kill();
    if (this.isWanted) world.scheduler.clock.after(50 + this.random.number() * 3000, () => this.start());
  }

  /** After a loss of power a clock that people have set, and that looks right, deceives the gateway. */
  clockRead({ isTrusted }: { readonly isTrusted: boolean }): void {
    if (this.#wasOff && isTrusted && this.clock.isDoubtful)
      this.plant.timeLost.push(this.#world.scheduler.clock.monotonic());
  }

  /** Nothing waits: every reading is with the cloud, every report taken. */
  get isAtRest(): boolean {
    const { running } = this;
    if (running === null || this.open.size > 0) return false;
    const reportsTaken = (twin: RunningGateway["twin"]) =>
      twin.pendingReports().length === 0 && twin.pendingCallReports().length === 0;
    const isDone = running.twin.desired(machine.uid).every(({ active }) => active === null);
    return isDone && running.outbox.stats().readings === 0 && reportsTaken(running.twin);
  }
}
