import type { Reading } from "@penstock/model";
import {
  goodLine,
  SimNetwork,
  type SimProcess,
  SimRandom,
  SimScheduler,
  type SimSeriesStore,
  simSeriesStore,
} from "@penstock/testkit";
import { type RunningCloud, startCloud } from "./cloud.ts";
import { DesiredTable } from "./desired-table.ts";
import { Ledger } from "./ledger.ts";
import { MachineClock } from "./machine-clock.ts";
import { settable } from "./plant.ts";
import { type RunLog, runLog } from "./sim-log.ts";
import { Site } from "./site.ts";

/** All there is in one run. What stands here outlives every process. */
export class World {
  readonly scheduler: SimScheduler;
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly ledger = new Ledger();
  readonly series: SimSeriesStore;
  readonly desired: DesiredTable;
  readonly cloudClock: MachineClock;
  readonly cloudLog: RunLog;
  readonly keepsLines: boolean;
  readonly sites: Site[] = [];
  readonly problems: string[] = [];
  /** reported values that came back too old after a restart */
  readonly tooOld: string[] = [];
  /** by series, as the cloud tells them at the end */
  readonly lastValues = new Map<string, Reading>();
  cloudProcess: SimProcess | null = null;
  cloud: RunningCloud | null = null;

  constructor(options: { readonly seed: number; readonly keepsLines: boolean }) {
    this.scheduler = new SimScheduler({ seed: options.seed });
    this.random = new SimRandom(options.seed ^ 0x5eed);
    this.keepsLines = options.keepsLines;
    this.network = new SimNetwork({ scheduler: this.scheduler, shape: goodLine });
    const store = this.random.fork();
    this.series = simSeriesStore({
      step: (operation) =>
        new Promise((resolve) => {
          const ms = store.number() * (store.chance(0.02) ? 500 : 4);
          this.cloudProcess?.later(ms, operation, resolve);
        }),
    });
    this.desired = new DesiredTable(this.random.fork());
    this.cloudClock = new MachineClock(this.scheduler);
    const now = () => this.scheduler.clock.monotonic();
    this.cloudLog = runLog({ who: "cloud", keepsLines: options.keepsLines, now });
    this.sites.push(this.#gateway());
  }

  get gateway(): Site {
    return this.sites[0]!;
  }

  #gateway(): Site {
    const { random } = this;
    const size = random.number();
    const small = { bytes: random.between(5000, 25_000), ageMs: 1e9 };
    const large = { bytes: 64e6, ageMs: 1e9 };
    return new Site(this, {
      name: "gateway",
      random: random.fork(),
      first: 0,
      everyMs: random.between(600, 1200),
      checkpointEveryMs: random.pick([1000, 4000, 10_000]),
      hasBattery: random.chance(0.6),
      outbox: {
        bounds: size < 0.3 ? small : size < 0.35 ? { bytes: 64e6, ageMs: random.between(2000, 20_000) } : large,
        policy: size < 0.2 || size >= 0.3 ? "drop-oldest" : "refuse",
        segmentBytes: random.pick([500, 3000, 20_000, 1e6]),
        cacheBytes: random.pick([0, 2000, 1e6]),
      },
    });
  }

  /** A second machine with the same certificate: set up from the same card, with a disk and a plant of its own. */
  addTwin(): Site {
    const { random } = this;
    const site = new Site(this, {
      name: "twin",
      random: random.fork(),
      first: 1_000_000,
      everyMs: 1400,
      checkpointEveryMs: 3000,
      hasBattery: true,
      outbox: { bounds: { bytes: 64e6, ageMs: 1e9 }, policy: "drop-oldest", segmentBytes: 5000, cacheBytes: 1e6 },
    });
    this.sites.push(site);
    site.start();
    return site;
  }

  start(): void {
    this.startCloud();
    this.gateway.start();
    const setNext = () => {
      this.scheduler.clock.after(500 + this.random.number() * 4000, () => {
        if (!this.gateway.isProducing) return;
        const ttlMs = this.random.pick([500, 5000, 30_000]);
        if (this.cloudProcess?.isAlive === true) this.cloud?.desk.set(this.random.pick(settable), ttlMs);
        setNext();
      });
    };
    setNext();
    const callNext = () => {
      this.scheduler.clock.after(500 + this.random.number() * 4000, () => {
        if (!this.gateway.isProducing) return;
        const ttlMs = this.random.pick([300, 3000, 30_000]);
        if (this.cloudProcess?.isAlive === true) this.cloud?.desk.call(ttlMs, this.gateway.plant.disks);
        callNext();
      });
    };
    callNext();
  }

  startCloud(): void {
    this.cloudProcess = this.scheduler.spawn("cloud", (process) => {
      this.cloud = startCloud(this, process);
    });
    this.cloudProcess.onEnd(() => {
      this.cloud = null;
      this.series.crash();
      this.scheduler.clock.after(50 + this.random.number() * 3000, () => this.startCloud());
    });
  }
}
