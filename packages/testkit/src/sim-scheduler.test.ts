import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@penstock/model";
import { sleep } from "@penstock/runtime";
import { SimNetwork } from "./sim-network.ts";
import { SimScheduler } from "./sim-scheduler.ts";
import type { Transport } from "./sim-transport.ts";

function setUp(seed = 1) {
  const scheduler = new SimScheduler({ seed });
  const network = new SimNetwork({ scheduler });
  return { scheduler, network };
}

/** A server that notes what it hears, and a client that sends when told. */
async function connected(seed = 1) {
  const { scheduler, network } = setUp(seed);
  const heard: number[] = [];
  const events: string[] = [];
  let far: Transport | undefined;
  let near: Transport | undefined;
  const server = scheduler.spawn("server", (process) => {
    network.listen("cloud", {
      process,
      accept: (transport) => {
        far = transport;
        transport.onFrame((frame) => heard.push(frame[0]!));
        transport.onClose((reason) => events.push(`server: ${reason}`));
      },
    });
  });
  const client = scheduler.spawn("client", async (process) => {
    near = await network.connect("cloud", { process });
    near.onClose((reason) => events.push(`client: ${reason}`));
  });
  await scheduler.run();
  const send = (from: number, to: number, length = 1) => {
    for (let n = from; n <= to; n++) near!.send(new Uint8Array(length).fill(n));
  };
  return { scheduler, network, heard, events, server, client, near: near!, far: far!, send };
}
const counted = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("SimProcess.end() stops its timers, its waits and its answers for good", async () => {
  const { scheduler } = setUp();
  const seen: string[] = [];
  const process = scheduler.spawn("agent", async ({ clock }) => {
    clock.after(500, () => seen.push("timer"));
    for (let i = 1; ; i++) {
      await sleep(clock, 100);
      seen.push(`loop ${i}`);
    }
  });
  await scheduler.run({ forMs: 250 });
  process.end("crash");
  await scheduler.run({ forMs: 5000 });
  assert.deepEqual(seen, ["loop 1", "loop 2"]);
  assert.equal(scheduler.clock.monotonic(), 1_000_000 + 5_250_000);
});

test("SimScheduler.beforeStep() crashes a process between any two steps", async () => {
  for (let at = 1; at <= 4; at++) {
    const { scheduler } = setUp();
    const seen: number[] = [];
    scheduler.beforeStep(({ n, process }) => {
      if (n === at) process.end("crash");
    });
    scheduler.spawn("agent", async ({ clock }) => {
      for (let i = 1; i <= 3; i++) {
        await sleep(clock, 1);
        seen.push(i);
      }
    });
    await scheduler.run();
    assert.deepEqual(seen, [1, 2, 3].slice(0, Math.max(0, at - 2)), `crash before step ${at}`);
  }
});

test("SimScheduler.run() throws what a process throws, with its name, and notices an endless loop", async () => {
  const { scheduler } = setUp();
  scheduler.spawn("agent", async ({ clock }) => {
    await sleep(clock, 1);
    throw new Error("broken");
  });
  await assert.rejects(scheduler.run(), (error: Error) => {
    assert.match(error.message, /"agent"/);
    assert.equal((error.cause as Error).message, "broken");
    return true;
  });
  const other = setUp().scheduler;
  other.spawn("loop", async ({ clock }) => {
    for (;;) await sleep(clock, 1);
  });
  await assert.rejects(other.run({ mostSteps: 100 }), /Not at rest after 101 steps/);
});

test("SimNetwork keeps order on a plain line, through a stall, and ends with the close behind the frames", async () => {
  const { scheduler, network, heard, events, near, send } = await connected();
  send(1, 50);
  await scheduler.run({ forMs: 2 });
  network.stall();
  send(51, 60, 10);
  assert.equal(near.bufferedBytes, 100);
  await scheduler.run({ forMs: 1000 });
  assert.ok(heard.length < 50, "some were under way when the line stalled");
  near.close("done");
  await scheduler.run({ forMs: 1000 });
  assert.deepEqual(events, ["client: done"]);
  network.resume();
  await scheduler.run();
  assert.deepEqual(heard, counted(1, 60));
  assert.deepEqual(events, ["client: done", "server: done"]);
});

test("SimNetwork.cut() closes both ends and refuses until resume", async () => {
  const { scheduler, network, heard, events, client, send } = await connected();
  send(1, 3);
  network.cut();
  await scheduler.run();
  assert.deepEqual(heard, []);
  assert.deepEqual(events.sort(), ["client: cut", "server: cut"]);
  let refusal: unknown;
  client.run(async () => {
    refusal = await network.connect("cloud", { process: client }).catch((error: unknown) => error);
  });
  await scheduler.run();
  assert.ok(refusal instanceof AppError && refusal.code === "link/closed");
  network.resume();
  let again: Transport | undefined;
  client.run(async () => {
    again = await network.connect("cloud", { process: client });
  });
  await scheduler.run();
  again!.send(Uint8Array.of(9));
  await scheduler.run();
  assert.deepEqual(heard, [9]);
});

test("SimNetwork.mute() swallows frames, tells nobody, and the connection stays dead after resume", async () => {
  const { scheduler, network, heard, events, send } = await connected();
  network.mute();
  send(1, 3);
  await scheduler.run();
  network.resume();
  send(4, 6);
  await scheduler.run();
  assert.deepEqual(heard, []);
  assert.deepEqual(events, []);
});

test("a crash closes the peer's end, a power cut tells it nothing", async () => {
  const crash = await connected();
  crash.server.end("crash");
  await crash.scheduler.run();
  assert.deepEqual(crash.events, ["client: reset"]);
  const power = await connected();
  power.server.end("power");
  power.send(1, 2);
  await power.scheduler.run();
  assert.deepEqual(power.events, []);
  assert.deepEqual(power.heard, []);
});

test("SimNetwork duplicates and reorders whole frames, losing none", async () => {
  const { scheduler, network, heard, send } = await connected();
  network.shape = { ...network.shape, duplicate: 0.2, reorder: 0.2 };
  send(1, 200);
  await scheduler.run();
  assert.equal(heard.length, 200 + network.framesDuplicated);
  assert.ok(network.framesDuplicated > 10 && network.framesReordered > 10);
  assert.deepEqual(new Set(heard), new Set(counted(1, 200)));
  assert.notDeepEqual(
    heard,
    heard.toSorted((a, b) => a - b),
  );
});

test("SimNetwork takes the time that a line of limited speed needs", async () => {
  const { scheduler, network, heard, near, send } = await connected();
  network.shape = { ...network.shape, bytesPerSecond: 10_000 };
  send(1, 10, 1000);
  assert.equal(near.bufferedBytes, 10_000);
  await scheduler.run({ forMs: 500 });
  assert.equal(near.bufferedBytes, 5000);
  assert.ok(heard.length >= 4 && heard.length <= 5, `${heard.length} of 10 frames after half the time`);
});

test("a seed repeats to the same trace, fast enough for thousands", async () => {
  const play = async (seed: number) => {
    const sim = await connected(seed);
    sim.network.shape = { ...sim.network.shape, duplicate: 0.05, reorder: 0.05 };
    sim.client.run(async () => {
      for (let i = 0; i < 1000; i++) {
        sim.send(i & 0xff, i & 0xff, 64);
        await sleep(sim.client.clock, 1);
      }
    });
    await sim.scheduler.run();
    return { hash: sim.scheduler.traceHash, steps: sim.scheduler.steps };
  };
  const first = await play(1);
  assert.deepEqual(await play(1), first);
  assert.notEqual((await play(2)).hash, first.hash);
  const started = performance.now();
  for (let seed = 10; seed < 20; seed++) await play(seed);
  const perSeedMs = (performance.now() - started) / 10;
  // The goal is 30 ms a seed with 1,000 readings; ten times that is a machine in trouble or a mistake.
  assert.ok(perSeedMs < 300, `${perSeedMs.toFixed(1)} ms a seed of ${first.steps} steps`);
  console.log(`# ${perSeedMs.toFixed(1)} ms a seed of ${first.steps} steps`);
});
