import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock, type SimDisk, SimRandom, settle, simDisk } from "@penstock/testkit";
import type { Parcel } from "./courier.ts";
import { Delivery } from "./delivery.ts";
import { FakeCourier, outputOf, testParts } from "./delivery-fixture.ts";

type Order = "oldest-first" | "newest-first";

/** What the world outside has seen, which no crash takes back. */
interface World {
  /** in the order in which the peer heard them, repeats and all */
  readonly heard: number[];
  readonly resolved: Set<number>;
  next: number;
}

/** A peer that comes and goes; what a dead process was about to send never arrives. */
class RoughCourier extends FakeCourier {
  isDead = false;
  readonly #world: World;
  readonly #random: SimRandom;

  constructor(world: World, random: SimRandom) {
    super();
    this.#world = world;
    this.#random = random;
  }
  override async send(parcel: Parcel) {
    for (let turns = this.#random.between(0, 3); turns > 0; turns--) await Promise.resolve();
    if (this.isDead) return new Promise<never>(() => {});
    const refusals = await super.send(parcel);
    for (const { row } of parcel.rows) this.#world.heard.push(Number(row.n));
    return refusals;
  }
}

function begin(options: { disk: SimDisk; random: SimRandom; clock: SimClock; world: World; order: Order }) {
  const { disk, random, clock, world, order } = options;
  const courier = new RoughCourier(world, random.fork());
  const { parts, counted } = testParts({ clock, random: random.fork(), files: disk.files });
  const spec = { cache: { bytes: 10_000_000, order }, retry: { first: "100ms", longest: "1s" } } as const;
  return { courier, counted, delivery: new Delivery({ kind: "fake", spec, courier, parts }) };
}

async function live(options: Parameters<typeof begin>[0] & { readonly life: ReturnType<typeof begin> }): Promise<void> {
  const { random, clock, world, disk } = options;
  const { courier, delivery } = options.life;
  for (let turn = 0; turn < 15; turn++) {
    courier.isUp = random.chance(0.4);
    if (random.chance(0.1)) disk.failNext("append", "results", random.pick(["ENOSPC", "EIO"]));
    if (random.chance(0.1)) disk.failNext("sync", "results", random.pick(["ENOSPC", "EIO"]));
    for (let k = random.between(0, 4); k > 0; k--) {
      const n = world.next++;
      void delivery.take(outputOf({ n, text: "x".repeat(random.between(0, 400)) })).then(() => world.resolved.add(n));
    }
    await clock.advanceAsync(random.between(0, 800));
  }
  const closed = delivery.close();
  await clock.advanceAsync(10_000);
  await closed;
}

async function play(seed: number, order: Order): Promise<{ crashes: number; cached: number }> {
  const random = new SimRandom(seed);
  const clock = new SimClock();
  const world: World = { heard: [], resolved: new Set(), next: 1 };
  let left = 0;
  let struck = () => {};
  let crashes = 0;
  let cached = 0;
  const disk = simDisk({
    random: random.fork(),
    step: async () => {
      for (let turns = random.between(0, 2); turns > 0; turns--) await Promise.resolve();
      if (--left !== 0) return;
      crashes++;
      if (random.chance(0.7)) disk.crash();
      else disk.kill();
      struck();
    },
  });
  for (let lives = 0; lives < 6; lives++) {
    disk.kill();
    left = random.between(1, 120);
    const crash = new Promise<void>((resolve) => {
      struck = resolve;
    });
    const options = { disk, random, clock, world, order };
    const life = begin(options);
    // The moment in which the process dies, nothing of it is heard any more.
    await Promise.race([live({ ...options, life }), crash]);
    life.courier.isDead = true;
    cached += life.counted("cached_rows");
  }
  disk.kill();
  left = 0;
  const before = world.heard.length;
  const last = begin({ disk, random, clock, world, order });
  await clock.advanceAsync(60_000);
  const closed = last.delivery.close();
  await clock.advanceAsync(10_000);
  await closed;
  await settle();
  const heard = new Set(world.heard);
  for (const n of world.resolved) assert.ok(heard.has(n), `seed ${seed}: result ${n} was settled and never arrived`);
  if (order === "newest-first") {
    const drained = world.heard.slice(before);
    assert.deepEqual(
      drained,
      drained.toSorted((a, b) => b - a),
      `seed ${seed}: the newest first`,
    );
  } else {
    const firsts = [...heard];
    assert.deepEqual(
      firsts,
      firsts.toSorted((a, b) => a - b),
      `seed ${seed}: the oldest first`,
    );
  }
  return { crashes, cached };
}

for (const order of ["oldest-first", "newest-first"] as const) {
  test(`${order}: killed between any two steps of the disk, nothing that was settled is lost, and the order is kept`, async () => {
    let crashes = 0;
    let cached = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const played = await play(seed, order);
      crashes += played.crashes;
      cached += played.cached;
    }
    assert.ok(crashes > 100 && cached > 500, `${crashes} crashes, ${cached} rows cached`);
  });
}
