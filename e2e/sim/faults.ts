import { goodLine, type SimStep } from "@penstock/testkit";
import type { World } from "./world.ts";

type Kind = (typeof kinds)[number];
const kinds = [
  "kill-gateway",
  "power-cut",
  "stop-gateway",
  "restore-disk",
  "kill-cloud",
  "cut",
  "half-open",
  "stall",
  "slow",
  "duplicate-frames",
  "reorder-frames",
  "disk-full",
  "failing-disk",
  "store-fails",
  "clock-jump",
  "cloud-clock-jump",
  "deaf-machine",
  "duplicate-node",
] as const;

/** the steps at which a fault is aimed, to strike just before; others are met by chance */
const diskTargets = [
  ...["append outbox", "sync outbox", "open outbox", "remove outbox", "truncate outbox", "syncFolder outbox"],
  ...["append cursors", "sync cursors", "rename cursors", "append reported", "sync reported", "rename reported"],
  ...["append twin", "sync twin", "syncFolder twin", "close outbox"],
].map((name) => `disk ${name}`);
const gatewayTargets = [
  ...diskTargets,
  "frame",
  "timer",
  "connected",
  "poll answered",
  "write answered",
  "call answered",
  "start",
];
const cloudTargets = [
  "store.commit",
  "store.commit.done",
  "store.open.done",
  "state write",
  "state written",
  "frame",
  "accept",
  "timer",
];

interface Planned {
  readonly kind: Kind;
  /** monotonic microseconds from which on it waits for its step */
  readonly from: number;
  readonly process: "gateway" | "cloud";
  readonly label: string | null;
}

/** how long a fault waits for the step it is aimed at before it takes any */
const patienceMicros = 6_000_000;

export interface Struck {
  readonly kind: Kind;
  readonly step: string;
}

/** Plans the faults of a run from its seed, strikes each just before a step, and mends what does not mend itself. */
export class Faults {
  readonly struck: Struck[] = [];
  readonly #world: World;
  readonly #planned: Planned[];
  #isOver = false;
  kills = 0;

  constructor(world: World, options: { readonly forMs: number }) {
    this.#world = world;
    const { random } = world;
    const start = world.scheduler.clock.monotonic();
    const count = random.between(6, 14);
    const made = Array.from({ length: count }, (): Planned => {
      const kind = random.pick(kinds);
      const isCloudFault = kind === "kill-cloud" || kind === "store-fails";
      const process = isCloudFault ? "cloud" : isCrash(kind) ? "gateway" : random.pick(["gateway", "cloud"] as const);
      const isAimed = random.chance(0.7);
      const targets = process === "cloud" ? cloudTargets : gatewayTargets;
      const from = start + Math.floor(random.number() * options.forMs * 1000);
      if (kind === "restore-disk") {
        const copied = (random.number() * (from - start)) / 1000;
        const copy = () => {
          world.gateway.backup();
          if (!world.gateway.hasBackup) this.#after(500, copy);
        };
        world.scheduler.clock.after(copied, copy);
      }
      return { kind, from, process, label: isAimed ? random.pick(targets) : null };
    });
    this.#planned = made.sort((a, b) => a.from - b.from);
    world.scheduler.beforeStep((step) => this.#look(step));
  }

  get isDone(): boolean {
    return this.#planned.length === 0;
  }

  #look(step: SimStep): void {
    const now = this.#world.scheduler.clock.monotonic();
    for (const [at, planned] of this.#planned.entries()) {
      if (planned.from > now) return;
      if (planned.kind === "restore-disk" && !this.#world.gateway.hasBackup) continue;
      const isPatient = now - planned.from < patienceMicros;
      if (planned.process !== step.process.name) continue;
      if (isPatient && planned.label !== null && planned.label !== step.label) continue;
      this.#planned.splice(at, 1);
      this.struck.push({ kind: planned.kind, step: `${step.process.name} ${step.label}` });
      this.#strike(planned.kind);
      return;
    }
  }

  #after(ms: number, run: () => void): void {
    this.#world.scheduler.clock.after(ms, () => {
      if (!this.#isOver) run();
    });
  }

  #strike(kind: Kind): void {
    const world = this.#world;
    const { random, network, gateway } = world;
    const lasts = random.pick([50, 500, 3000, 12_000]) * (0.5 + random.number());
    const shape = (change: Partial<typeof goodLine>) => {
      network.shape = { ...network.shape, ...change };
      this.#after(lasts, () => {
        network.shape = goodLine;
      });
    };
    switch (kind) {
      case "kill-gateway":
        this.kills++;
        gateway.process?.end("crash");
        return;
      case "power-cut":
        this.kills++;
        gateway.process?.end("power");
        return;
      case "restore-disk":
        this.kills++;
        gateway.restore();
        return;
      case "kill-cloud":
        this.kills++;
        world.cloudProcess?.end(random.chance(0.5) ? "crash" : "power");
        return;
      case "stop-gateway": {
        const { process, running } = gateway;
        if (process === null || running === null) return;
        process.later(0, "stop", () => process.run(() => running.close().then(() => process.end("exit"))));
        world.scheduler.clock.after(120_000, () => {
          if (process.isAlive) world.problems.push("The gateway was told to stop and has not ended after 120 s");
        });
        return;
      }
      case "cut":
        network.cut();
        this.#after(lasts, () => network.resume());
        return;
      case "half-open":
        network.mute();
        this.#after(lasts, () => network.resume());
        return;
      case "stall":
        network.stall();
        this.#after(lasts, () => network.resume());
        return;
      case "slow":
        shape({ bytesPerSecond: random.between(1000, 20_000) });
        return;
      case "duplicate-frames":
        shape({ duplicate: 0.1 + random.number() * 0.5 });
        return;
      case "reorder-frames":
        shape({ reorder: 0.1 + random.number() * 0.5 });
        return;
      case "disk-full":
        gateway.disk.capacity = gateway.disk.used + random.between(0, 2000);
        this.#after(lasts, () => {
          gateway.disk.capacity = Number.POSITIVE_INFINITY;
        });
        return;
      case "failing-disk": {
        const operation = random.pick(["append", "sync", "sync", "open", "rename", "syncFolder"] as const);
        for (let n = random.between(1, 3); n > 0; n--) gateway.disk.failNext(operation, "/data", "EIO");
        return;
      }
      case "store-fails":
        world.series.failNextCommit("store/write-failed");
        return;
      case "clock-jump":
        if (random.chance(0.3)) gateway.clock.setTo(random.number() * 1e12);
        else gateway.clock.jump((random.number() - 0.5) * 2 * random.pick([1e6, 1e8, 1e10]));
        return;
      case "cloud-clock-jump":
        world.cloudClock.jump(Math.floor((random.number() - 0.5) * 2 * random.pick([1e6, 1e8, 1e9])));
        return;
      case "deaf-machine":
        gateway.plant.isDeaf = true;
        this.#after(lasts, () => {
          gateway.plant.isDeaf = false;
        });
        return;
      case "duplicate-node": {
        if (world.sites.length > 1) return;
        const twin = world.addTwin();
        this.#after(lasts, () => {
          twin.isProducing = false;
        });
        return;
      }
    }
  }

  /** The faults end: everything works again, and stays so. */
  heal(): void {
    this.#isOver = true;
    this.#planned.length = 0;
    const { network, gateway, sites } = this.#world;
    network.resume();
    network.shape = goodLine;
    gateway.disk.capacity = Number.POSITIVE_INFINITY;
    for (const site of sites) {
      site.plant.isDeaf = false;
      site.isProducing = false;
    }
  }
}

function isCrash(kind: Kind): boolean {
  return kind === "kill-gateway" || kind === "power-cut" || kind === "stop-gateway" || kind === "restore-disk";
}
