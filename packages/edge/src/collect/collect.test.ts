import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type AppError, type DeviceUid, type Micros, readingsOf } from "@penstock/model";
import { supervision } from "./supervisor.ts";
import { boot, setUpCollect } from "./test/collect-fixture.ts";
import { assigned, connection, device, property } from "./test/test-set.ts";

const temperature = property("temperature");
const press = "press" as DeviceUid;

function setUp(t: TestContext, more: Parameters<typeof setUpCollect>[1] = {}) {
  const made = setUpCollect(t, more);
  const counter = (name: string, labels = {}) => made.metrics.counter(`penstock_collect_${name}`, "test", labels).value;
  return { ...made, counter };
}

test("collect reads each cycle once and publishes it with wall time", async (t) => {
  const { clock, processes, collect, batches, counter, offset } = setUp(t);
  collect.apply(assigned([device("press", [temperature, property("count", { type: "int64", access: "read" })])]));
  await clock.advanceAsync(600);
  const [mapper] = processes.started;
  mapper!.answer = (ask, group) => {
    if (ask.t === "read") mapper!.values(ask.id, group!, [{ value: 7n }, { value: 21.5 }]);
    return ask.t === "read";
  };
  batches.length = 0;
  await clock.advanceAsync(5000);
  assert.deepEqual(processes.last.spawned.args, [
    "--flag",
    "host.ts",
    "/mappers/fake/mapper.json",
    "/data/mappers/fake",
  ]);
  assert.equal(batches.length, 5);
  const readings = readingsOf(batches[4]!);
  assert.deepEqual(
    readings.map(({ property, value, quality, reason }) => [property, value, quality, reason]),
    [
      ["count", 7n, "good", null],
      ["temperature", 21.5, "good", null],
    ],
  );
  assert.ok(Math.abs(readings[0]!.time - clock.now()) < 1_000_000 && readings[0]!.time > offset);
  assert.equal(batches[4]!.clock, null);
  assert.equal(batches[0]!.layout, batches[4]!.layout);
  assert.equal(counter("overruns_total"), 0);
  assert.deepEqual(collect.devices(), [{ device: press, state: "online", reason: null, message: null }]);
  assert.deepEqual(
    collect.mappers().map(({ mapper, state, pid, restarts }) => [mapper, state, pid, restarts]),
    [["fake", "running", 100, 0]],
  );
});

test("collect keeps its cycles when somebody sets the wall clock, forward or back", async (t) => {
  const { clock, collect, batches } = setUp(t);
  collect.apply(assigned([device("press", [temperature])]));
  await clock.advanceAsync(2000);
  for (const byMs of [365 * 86_400_000, -2 * 365 * 86_400_000]) {
    batches.length = 0;
    clock.jumpWall(byMs);
    await clock.advanceAsync(5000);
    assert.equal(batches.length, 5);
  }
});

test("collect: a killed mapper is noticed, its devices read bad with mapper/stopped, it is restarted and reads good again", async (t) => {
  const { clock, processes, collect, taken } = setUp(t);
  collect.apply(assigned([device("press", [temperature])]));
  await clock.advanceAsync(2000);
  taken();
  processes.last.silent.add("press");
  await clock.advanceAsync(1100);
  const write = collect.access.write(press, [{ property: "temperature", value: 1 }], new AbortController().signal);
  const stopped = assert.rejects(write, { code: "mapper/stopped" });
  processes.last.die(null, "SIGKILL");
  await clock.advanceAsync(10);
  await stopped;
  const bad = taken();
  assert.deepEqual(
    bad.map(({ property, value, quality, reason }) => [property, value, quality, reason]),
    [["temperature", null, "bad", "mapper/stopped"]],
    "the read in flight",
  );
  assert.deepEqual(collect.devices()[0]?.reason, "mapper/stopped");
  assert.deepEqual([collect.mappers()[0]?.state, collect.mappers()[0]?.pid], ["restarting", null]);
  await assert.rejects(
    collect.access.write(press, [{ property: "temperature", value: 1 }], new AbortController().signal),
    {
      code: "mapper/stopped",
    },
  );
  await clock.advanceAsync(supervision.restartAfterMs + 20);
  assert.equal(processes.started.length, 2);
  assert.deepEqual(
    processes.last.heard.map(({ t }) => t).slice(0, 3),
    ["open", "group", "read"],
    "opened again, and read at once",
  );
  assert.equal(taken()[0]?.quality, "good");
  assert.deepEqual([collect.devices()[0]?.state, collect.mappers()[0]?.restarts], ["online", 1]);
});

test("collect kills a mapper that hangs, and one that breaks the protocol", async (t) => {
  const { clock, processes, collect } = setUp(t);
  collect.apply(assigned([device("press", [temperature])]));
  await clock.advanceAsync(3000);
  processes.last.isDeaf = true;
  const deafAt = clock.monotonic();
  while (collect.devices()[0]?.state !== "offline") await clock.advanceAsync(10);
  assert.ok(clock.monotonic() - deafAt < 3_000_000, `${clock.monotonic() - deafAt} us`);
  assert.deepEqual(
    collect.devices().map(({ reason, message }) => [reason, message]),
    [["mapper/stopped", `It answered no ping for ${supervision.pongWithinMs} ms`]],
  );
  await clock.advanceAsync(1000);
  assert.equal(processes.started.length, 2);
  processes.last.sayBytes(Uint8Array.of(255, 255, 255, 255));
  await clock.advanceAsync(2000);
  assert.equal(processes.started.length, 3);
  assert.equal(collect.mappers()[0]?.state, "running");
});

test("collect: a device that stays silent times out, is bad with mapper/timeout at every cycle and offline; others go on", async (t) => {
  const { clock, processes, collect, taken } = setUp(t);
  collect.apply(assigned([device("press", [temperature]), device("oven", [temperature])]));
  await clock.advanceAsync(2000);
  taken();
  processes.last.silent.add("press");
  await clock.advanceAsync(60_000);
  const readings = taken();
  const ofPress = readings.filter((r) => r.device === press);
  assert.ok(ofPress.length > 40, `${ofPress.length}`);
  assert.ok(ofPress.every((r) => r.quality === "bad" && r.value === null && r.reason === "mapper/timeout"));
  const ofOven = readings.filter((r) => r.device !== press);
  assert.ok(ofOven.every((r) => r.quality === "good"));
  assert.deepEqual(
    collect.devices().map(({ device, state, reason }) => [device, state, reason]),
    [
      ["press", "offline", "mapper/timeout"],
      ["oven", "online", null],
    ],
  );
});

test("collect: while the clock is not trusted, readings are uncertain with clock/not-set and keep boot and monotonic time", async (t) => {
  const { clock, processes, collect, batches, offset } = setUp(t, { isTrusted: () => false });
  collect.apply(assigned([device("press", [temperature, property("zone")])]));
  await clock.advanceAsync(600);
  processes.last.answer = (ask, group) => {
    const bad = { value: null, quality: "bad", reason: "mapper/bad-address" } as const;
    if (ask.t === "read") processes.last.values(ask.id, group!, [{}, bad]);
    return ask.t === "read";
  };
  batches.length = 0;
  await clock.advanceAsync(1000);
  const [batch] = batches;
  assert.deepEqual(batch!.clock, { boot, monotonic: batch!.baseTime - offset });
  assert.deepEqual(
    readingsOf(batch!).map(({ value, quality, reason }) => [value, quality, reason]),
    [
      [21.5, "uncertain", "clock/not-set"],
      [null, "bad", "mapper/bad-address"],
    ],
  );
});

test("collect refuses values that are not of the layout or date themselves, and completes those that lack a property", async (t) => {
  const { clock, processes, collect, taken } = setUp(t);
  collect.apply(assigned([device("press", [temperature, property("zone")])]));
  await clock.advanceAsync(600);
  const reasons: unknown[] = [];
  for (const answer of ["nonsense", "future", "past", "part"]) {
    processes.last.answer = (ask, group) => {
      if (ask.t !== "read") return false;
      if (answer === "nonsense") processes.last.say({ t: "values", id: ask.id, body: Uint8Array.of(1, 2, 3) });
      if (answer === "future") {
        processes.last.values(ask.id, group!, [{ time: (clock.monotonic() + 3_600_000_000) as Micros }]);
      }
      if (answer === "past") processes.last.values(ask.id, group!, [{ time: 0 as Micros }]);
      if (answer === "part") processes.last.values(ask.id, group!, [{}, { property: "elsewhere" }]);
      return true;
    };
    taken();
    await clock.advanceAsync(1000);
    reasons.push(taken().map(({ property, reason }) => `${property} ${reason}`));
  }
  assert.deepEqual(reasons, [
    ["temperature mapper/bad-answer", "zone mapper/bad-answer"],
    ["temperature mapper/bad-answer", "zone mapper/bad-answer"],
    ["temperature mapper/bad-answer", "zone mapper/bad-answer"],
    ["temperature null", "zone mapper/bad-answer"],
  ]);
});

test("collect.access writes and reads back through the mapper, never polls write-only properties, names what is missing", async (t) => {
  const { clock, processes, collect } = setUp(t);
  const reset = property("reset", { access: "write", collect: { everyMs: 1000 } });
  const { signal } = new AbortController();
  collect.apply(assigned([device("press", [property("speed", { access: "readWrite" }), reset])]));
  const early = collect.access.write(press, [{ property: "speed", value: 42 }], signal);
  await assert.rejects(early, { code: "mapper/stopped" });
  await clock.advanceAsync(2000);
  assert.ok([...processes.last.groups.values()].every(({ points }) => points.every((p) => p.property !== "reset")));
  const run = async (promise: Promise<unknown>): Promise<unknown> => {
    promise.catch(() => {});
    await clock.advanceAsync(20);
    return promise;
  };
  await run(collect.access.write(press, [{ property: "speed", value: 42 }], signal));
  const written = processes.last.heard.find((m) => m.t === "write");
  assert.deepEqual([written?.points, written?.values], [[{ property: "speed", type: "float64", visitor: {} }], [42]]);
  assert.equal(await run(collect.access.read(press, "speed", signal)), 21.5);
  await run(collect.access.write(press, [{ property: "reset", value: 1 }], signal));
  const rejections = [
    [() => collect.access.read(press, "reset", signal), "mapper/unsupported"],
    [
      () => collect.access.write("oven" as DeviceUid, [{ property: "speed", value: 1 }], signal),
      "twin/unknown-property",
    ],
    [() => collect.access.write(press, [{ property: "speed", value: 1 }], AbortSignal.abort()), "aborted"],
  ] as const;
  for (const [act, code] of rejections) await assert.rejects(run(act()), { code });
  const [unknown] = await collect.access.write(press, [{ property: "colour", value: 1 }], signal);
  assert.equal(unknown?.code, "twin/unknown-property");
  processes.last.answer = (ask) => {
    const refusal = { t: "failed", id: ask.id, code: "mapper/value-refused", message: "exception 3" } as const;
    if (ask.t === "write") processes.last.say(refusal);
    return ask.t !== "read";
  };
  await assert.rejects(run(collect.access.write(press, [{ property: "speed", value: 1 }], signal)), {
    code: "mapper/value-refused",
  });
  const hanging = collect.access.read(press, "speed", signal);
  hanging.catch(() => {});
  await clock.advanceAsync(12_000);
  await assert.rejects(hanging, { code: "mapper/timeout" });
});

test("collect.apply() reopens what changed and leaves the rest alone", async (t) => {
  const { clock, processes, collect, batches } = setUp(t);
  const both = [connection("bus-a"), connection("bus-b")];
  const oven = device("oven", [temperature], "bus-b");
  collect.apply(assigned([device("press", [temperature]), oven], both));
  await clock.advanceAsync(2000);
  const { heard } = processes.last;
  const changesOf = (from: number) =>
    heard.slice(from).filter(({ t }) => ["open", "close", "group", "ungroup"].includes(t));
  let from = heard.length;
  collect.apply(assigned([oven, device("press", [temperature])], [...both].reverse()));
  assert.deepEqual(changesOf(from), [], "the same set in another order");

  collect.apply(assigned([device("press", [temperature, property("zone")]), oven], both));
  assert.deepEqual(
    changesOf(from).map(({ t }) => t),
    ["ungroup", "group"],
  );
  from = heard.length;
  collect.apply(
    assigned([device("press", [temperature]), oven], [both[0]!, connection("bus-b", { settings: { p: 1 } })]),
  );
  assert.deepEqual(
    changesOf(from).map((m) => ("connection" in m ? `${m.t} ${m.connection}` : m.t)),
    ["ungroup", "ungroup", "close bus-b", "open bus-b", "group bus-a", "group bus-b"],
  );
  batches.length = 0;
  await clock.advanceAsync(2000);
  assert.deepEqual(new Set(batches.map(({ layout }) => layout.device as string)), new Set(["press", "oven"]));
  collect.apply(assigned([], []));
  batches.length = 0;
  await clock.advanceAsync(5000);
  assert.deepEqual([batches.length, collect.mappers()[0]?.state, collect.devices()], [0, "stopped", []]);
});

test("collect publishes nothing of a device that was removed while it was read", async (t) => {
  const { clock, processes, collect, batches } = setUp(t);
  collect.apply(assigned([device("press", [temperature])]));
  await clock.advanceAsync(600);
  let late = () => {};
  processes.last.answer = (ask, group) => {
    if (ask.t === "read") late = () => processes.last.values(ask.id, group!);
    return ask.t === "read";
  };
  await clock.advanceAsync(1000);
  collect.apply(assigned([], [connection("bus-a")]));
  batches.length = 0;
  late();
  await clock.advanceAsync(100);
  assert.equal(batches.length, 0);
});

test("collect: a mapper that is not installed is told as missing, and its devices' cycles are bad with mapper/not-found", async (t) => {
  const { clock, processes, collect, taken } = setUp(t);
  collect.apply(assigned([device("plc", [temperature])], [connection("bus-a", { protocol: "s7" })]));
  await clock.advanceAsync(3000);
  assert.equal(processes.started.length, 0);
  assert.deepEqual([collect.mappers()[0]?.state, collect.mappers()[0]?.reason], ["missing", "mapper/not-found"]);
  const readings = taken();
  assert.ok(readings.length >= 2 && readings.every(({ reason }) => reason === "mapper/not-found"));
  assert.equal(collect.devices()[0]?.state, "offline");
});

test("collect waits for a bus that is full: cycles are skipped and counted, nothing piles up", async (t) => {
  let release = () => {};
  const take = () => new Promise<void>((resolve) => (release = resolve));
  const { clock, collect, batches, counter } = setUp(t, { take });
  collect.apply(assigned([device("press", [temperature])]));
  await clock.advanceAsync(20_500);
  // One in the consumer's hands, one queued, one waiting to get in.
  assert.equal(batches.length, 1);
  assert.ok(counter("overruns_total") >= 16 && counter("cycles_total") === 3);
  for (let i = 0; i < 4; i++) {
    release();
    await clock.advanceAsync(1);
  }
  // With room again, the cycle that was due meanwhile has its turn as well.
  assert.equal(batches.length, 4);
});

test("collect forwards a mapper's lines at a bounded rate and counts the rest", async (t) => {
  const { clock, processes, collect, counter } = setUp(t);
  collect.apply(assigned([device("press", [temperature])]));
  await clock.advanceAsync(100);
  for (let i = 0; i < 1000; i++) processes.last.print(`line ${i}`);
  assert.equal(counter("mapper_lines_dropped_total", { mapper: "fake" }), 900);
});

test("collect.access waits until collect has been told what there is: at its start the twin goes on with what had not ended", async (t) => {
  const { clock, collect } = setUp(t);
  const { signal } = new AbortController();
  const write = collect.access.write(press, [{ property: "temperature", value: 1 }], signal);
  const read = collect.access.read(press, "temperature", signal);
  const calledOff = new AbortController();
  const gone = assert.rejects(collect.access.read(press, "temperature", calledOff.signal), { code: "aborted" });
  calledOff.abort();
  await gone;
  await clock.advanceAsync(5000);
  // Whatever comes of them, it is not that there is no such device.
  const outcomes = Promise.allSettled([write, read]);
  collect.apply(assigned([device("press", [property("temperature", { access: "readWrite" })])]));
  await clock.advanceAsync(5000);
  for (const outcome of await outcomes) {
    const code = outcome.status === "rejected" ? (outcome.reason as AppError).code : null;
    assert.ok(code === null || code === "mapper/stopped", String(code));
  }
});

test("collect.access: who waits for a gateway that ends is told so", async (t) => {
  const { clock, collect } = setUp(t);
  const stopped = assert.rejects(collect.access.read(press, "temperature", new AbortController().signal), {
    code: "mapper/stopped",
  });
  const closed = collect.close();
  await clock.advanceAsync(10_000);
  await Promise.all([stopped, closed]);
});
