import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AssignedSet,
  type DeviceUid,
  defaultLine,
  type EffectiveMethod,
  type ErrorCode,
  type Micros,
} from "@penstock/model";
import { setUpCollect } from "./test/collect-fixture.ts";
import { assigned, connection, device, property } from "./test/test-set.ts";

const press = "press" as DeviceUid;
const { signal } = new AbortController();
const speed = property("speed", { access: "readWrite" });
const secondsOf = (hours: number, minutes = 0) => hours * 3600 + minutes * 60;
const inZone = (set: AssignedSet, timeZone: string): AssignedSet => ({ ...set, node: { ...set.node, timeZone } });

test("collect reads at times of day in the node's time zone, not at its start, and twice for no setting of the clock", async (t) => {
  const start = (Date.parse("2027-05-01T03:30:00Z") * 1000) as Micros;
  const { clock, collect, batches } = setUpCollect(t, { start });
  const daily = property("total", { collect: { atSeconds: [secondsOf(6), secondsOf(7)] } });
  collect.apply(inZone(assigned([device("press", [daily])]), "Europe/Berlin"));
  await clock.advanceAsync(20 * 60_000);
  assert.equal(batches.length, 0);
  await clock.advanceAsync(11 * 60_000);
  assert.equal(batches.length, 1, "06:00 in Berlin is 04:00 UTC");
  clock.jumpWall(-3_600_000);
  await clock.advanceAsync(90 * 60_000);
  assert.equal(batches.length, 1, "06:00 again");
  await clock.advanceAsync(40 * 60_000);
  assert.equal(batches.length, 2, "07:00");
  clock.jumpWall(24 * 3_600_000);
  await clock.advanceAsync(11_000);
  assert.equal(batches.length, 3, "the clock set over two of them: one, late by no more than a look");
  assert.equal(collect.cycles(() => null)[0]?.overruns, 0);
});

test("collect: while the clock cannot be believed times of day wait, and steps go on", async (t) => {
  let isTrusted = false;
  const start = (Date.parse("2027-05-01T05:50:00Z") * 1000) as Micros;
  const { clock, collect, taken } = setUpCollect(t, { start, isTrusted: () => isTrusted });
  const daily = property("total", { collect: { atSeconds: [secondsOf(6), secondsOf(6, 30)] } });
  collect.apply(assigned([device("press", [daily, speed])]));
  await clock.advanceAsync(20 * 60_000);
  const early = taken();
  assert.ok(early.length > 1000 && early.every((reading) => reading.property === "speed"));
  isTrusted = true;
  await clock.advanceAsync(15 * 60_000);
  assert.equal(taken().filter((reading) => reading.property === "total").length, 0, "06:00 is over");
  await clock.advanceAsync(6 * 60_000);
  assert.equal(taken().filter((reading) => reading.property === "total").length, 1);
});

test("collect gives reads and writes the deadline that their line's settings make, and what is in flight besides", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const line = { ...defaultLine, timeoutMs: 500, connectTimeoutMs: 2000, retries: 2, pauseMs: 100 };
  const three = ["a", "b", "c"].map((name) => property(name, { access: "readWrite" }));
  collect.apply(assigned([device("press", three)], [connection("bus-a", { line })]));
  await clock.advanceAsync(5000);
  const mapper = processes.last;
  const own = 2000 + (3 + 2) * 600;
  const opened = mapper.heard.find((m) => m.t === "open");
  assert.deepEqual(opened?.t === "open" && opened.line, line, "the mapper is told the same");
  const reads = mapper.heard.flatMap((m) => (m.t === "read" ? [m.deadlineMs] : []));
  assert.ok(reads.length >= 4 && reads.every((ms) => ms === own), `${reads}`);
  mapper.answer = () => true;
  await clock.advanceAsync(1000);
  const write = collect.access.write(press, [{ property: "a", value: 1 }], signal);
  const rejected = assert.rejects(write, { code: "mapper/timeout" });
  await clock.advanceAsync(1);
  const asked = mapper.heard.findLast((m) => m.t === "write");
  assert.equal(asked?.t === "write" && asked.deadlineMs, 2000 + 3 * 600 + own);
  await clock.advanceAsync(20_000);
  await rejected;
});

test("collect.cycles() and lines() measure what really runs", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const slow = device("oven", [property("zone", { collect: { everyMs: 200 } })]);
  collect.apply(assigned([device("press", [speed, property("count")]), slow]));
  await clock.advanceAsync(500);
  const mapper = processes.last;
  mapper.answer = (ask, group) => {
    if (ask.t !== "read" || group?.device !== "oven") return false;
    clock.after(499, () => mapper.values(ask.id, group));
    return true;
  };
  await clock.advanceAsync(120_000);
  const [first, second] = collect.cycles(() => 7);
  assert.deepEqual([first?.device, first?.isOverrun, first?.properties, first?.reportMs], ["oven", true, 1, 7]);
  assert.ok(Math.abs(first!.measuredMs! - 500) < 2 && first!.overruns > 300, `${first!.measuredMs} ${first!.overruns}`);
  assert.deepEqual([second?.device, second?.isOverrun, second?.overruns], ["press", false, 0]);
  assert.ok(Math.abs(second!.measuredMs! - 1000) < 1 && Math.abs(second!.longestMs! - 1000) < 5);
  const [line] = collect.lines();
  assert.deepEqual([line?.connection, line?.state, line?.reason], ["bus-a", "up", null]);
  assert.ok(Math.abs(line!.loadPercent - 100) < 1, `${line!.loadPercent}`);
  assert.ok(Math.abs(line!.requestsPerSecond - (1 + 1 / 0.5)) < 0.1, `${line!.requestsPerSecond}`);

  // It keeps its cycle again; a minute later nothing is left of it.
  mapper.answer = () => false;
  await clock.advanceAsync(50_000);
  assert.equal(collect.cycles(() => null)[0]?.isOverrun, true);
  await clock.advanceAsync(30_000);
  assert.ok(collect.cycles(() => null).every(({ isOverrun }) => !isOverrun));
});

test("collect: a device that is silent is offline, not overrun", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  collect.apply(assigned([device("press", [property("a", { collect: { everyMs: 100 } })])]));
  await clock.advanceAsync(5000);
  processes.last.silent.add("press");
  await clock.advanceAsync(100_000);
  const [cycle] = collect.cycles(() => null);
  assert.deepEqual([cycle?.isOverrun, collect.devices()[0]?.state], [false, "offline"]);
});

test("collect.access writes several values in one request, with an outcome each", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const names = ["a", "b", "c"];
  const properties = names.map((name) => property(name, { access: "readWrite" }));
  collect.apply(assigned([device("press", properties)]));
  await clock.advanceAsync(2000);
  const mapper = processes.last;
  const refusal = { code: "mapper/value-refused", message: "exception 3" } as const;
  let outcomes: readonly ({ code: ErrorCode; message: string } | null)[] = [null, refusal];
  mapper.answer = (ask) => {
    if (ask.t === "write") mapper.say({ t: "written", id: ask.id, outcomes });
    return ask.t === "write";
  };
  const write = async (...properties: string[]) => {
    const writes = properties.map((name, i) => ({ property: name, value: i + 0.5 }));
    const written = collect.access.write(press, writes, signal);
    written.catch(() => {});
    await clock.advanceAsync(20);
    return (await written).map((outcome) => outcome?.code ?? null);
  };
  assert.deepEqual(await write("a", "colour", "c"), [null, "twin/unknown-property", "mapper/value-refused"]);
  const asked = mapper.heard.filter((m) => m.t === "write");
  assert.deepEqual(
    asked.map((m) => [m.points.map((point) => point.property), m.values]),
    [
      [
        ["a", "c"],
        [0.5, 2.5],
      ],
    ],
  );
  outcomes = [null];
  await assert.rejects(write("a", "b"), { code: "mapper/bad-answer" }, "fewer outcomes than writes");
  outcomes = [null, { code: "no/such" as ErrorCode, message: "?" }];
  assert.deepEqual(await write("a", "b"), [null, "mapper/bad-answer"]);
});

test("collect.access calls a method once, with its arguments and its own time-out, and checks the result", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const method: EffectiveMethod = {
    ...{ name: "fill", arguments: [], result: "int64", timeoutMs: 700, visitor: { code: 9 }, sets: [] },
  };
  const local: EffectiveMethod = { ...method, name: "sets", visitor: null };
  collect.apply(assigned([{ ...device("press", [speed]), methods: [method, local] }]));
  await clock.advanceAsync(2000);
  const mapper = processes.last;
  let result: unknown = 12n;
  mapper.answer = (ask) => {
    if (ask.t === "call" && result !== "silence") mapper.say({ t: "called", id: ask.id, value: result as bigint });
    return ask.t === "call";
  };
  const call = async (name = "fill") => {
    const called = collect.access.call({ device: press, method: name, arguments: { level: 2n ** 63n - 1n } }, signal);
    called.catch(() => {});
    await clock.advanceAsync(2000);
    return called;
  };
  assert.equal(await call(), 12n);
  const asked = mapper.heard.filter((m) => m.t === "call");
  assert.equal(asked.length, 1);
  const { method: name, visitor, arguments: given, deadlineMs } = asked[0]!;
  assert.deepEqual([name, visitor, given, deadlineMs], ["fill", { code: 9 }, { level: 2n ** 63n - 1n }, 700]);
  result = "text";
  await assert.rejects(call(), { code: "mapper/bad-answer" });
  await assert.rejects(call("nothing"), { code: "twin/unknown-method" });
  await assert.rejects(call("sets"), { code: "twin/unknown-method" });
  result = "silence";
  await assert.rejects(call(), { code: "mapper/timeout" });
  assert.equal(mapper.heard.filter((m) => m.t === "call").length, 3, "none was made again");
});

test("collect passes custom blocks through the pipe as they are, 64-bit integers, lists and nesting", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const custom = {
    ...{ serial: 18446744073709551615n, low: -9223372036854775808n, odd: 9007199254740993n, small: 7, ratio: 0.1 },
    nested: { list: [1, "x", null, true, [9223372036854775807n, {}]], empty: {} },
  };
  const one = property("a", { custom, access: "readWrite" });
  collect.apply(assigned([{ ...device("press", [one, property("b")]), custom }]));
  await clock.advanceAsync(2000);
  const heard = processes.last.heard.find((m) => m.t === "group");
  assert.deepEqual(heard?.t === "group" && [heard.custom, heard.points[0]?.custom], [custom, custom]);
  assert.ok(heard?.t === "group" && !("custom" in heard.points[1]!), "left out when empty");
  const write = collect.access.write(press, [{ property: "a", value: 1 }], signal);
  await clock.advanceAsync(20);
  await write;
  const written = processes.last.heard.find((m) => m.t === "write");
  assert.deepEqual(written?.t === "write" && [written.custom, written.points[0]?.custom], [custom, custom]);
});

test("collect: devices of a mapper that has stopped are offline with mapper/stopped within 3 s, and online at the first answer", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const hourly = property("total", { collect: { everyMs: 3_600_000 } });
  const patient = { ...device("oven", [hourly]), offlineAfterMs: 3_600_000 };
  collect.apply(assigned([device("press", [speed]), patient]));
  await clock.advanceAsync(5000);
  const states = () => collect.devices().map(({ state, reason }) => [state, reason]);
  assert.deepEqual(states(), [
    ["online", null],
    ["online", null],
  ]);
  processes.last.die(1);
  await clock.advanceAsync(200);
  assert.deepEqual(states(), [
    ["offline", "mapper/stopped"],
    ["offline", "mapper/stopped"],
  ]);
  await clock.advanceAsync(1000);
  assert.deepEqual(
    states().map(([state]) => state),
    ["online", "online"],
  );
});

test("collect: what waits for its turn on a line is refused when the gateway ends", async (t) => {
  const { clock, processes, collect } = setUpCollect(t);
  const line = { ...defaultLine, collection: "sync" } as const;
  collect.apply(assigned([device("press", [speed])], [connection("bus-a", { line })]));
  await clock.advanceAsync(2000);
  processes.last.silent.add("press");
  await clock.advanceAsync(1100);
  const waits = assert.rejects(collect.access.write(press, [{ property: "speed", value: 1 }], signal), {
    code: "mapper/stopped",
  });
  await clock.advanceAsync(1);
  assert.ok(!processes.last.heard.some((m) => m.t === "write"), "one at a time");
  const closed = collect.close();
  await clock.advanceAsync(5000);
  await closed;
  await waits;
});
