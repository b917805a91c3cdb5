import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type DeviceUid, defaultLine, type Micros, type Reading, readingsOf, type ValueType } from "@penstock/model";
import type { Clock, Random } from "@penstock/runtime";
import {
  type AgentToMapper,
  decodeBatchBody,
  type JsonObject,
  type MapperToAgent,
  type PointSpec,
} from "@penstock/wire";
import { lamp, lamps } from "../test/lamp/index.ts";
import { MapperHost } from "./host.ts";

/** A clock that a test moves. */
function testClock() {
  let now = 1_000_000;
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    now: () => now as Micros,
    monotonic: () => now,
    after: (delayMs, run) => {
      const timer = { at: now + delayMs * 1000, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  const move = (ms: number) => {
    now += ms * 1000;
    const due = timers.filter((timer) => timer.at <= now);
    timers = timers.filter((timer) => timer.at > now);
    for (const { run } of due) run();
  };
  return { clock, move };
}
const random: Random = { bytes: (length) => new Uint8Array(length), number: () => 0.5 };

const point = (property: string, type: ValueType, visitor: JsonObject = {}): PointSpec => ({ property, type, visitor });

function start() {
  const { clock, move } = testClock();
  const sent: MapperToAgent[] = [];
  const host = new MapperHost({
    mapper: lamp,
    clock,
    random,
    pid: 7,
    folder: "/own",
    send: (message) => sent.push(message),
  });
  host.start();
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const tell = async (...messages: AgentToMapper[]) => {
    const before = sent.length;
    for (const message of messages) host.handle(message);
    await settle();
    return sent.slice(before);
  };
  const rowsOf = (message: MapperToAgent | undefined, points: readonly PointSpec[]): Reading[] => {
    assert.equal(message?.t, "values");
    const properties = points.map(({ property: name, type }) => ({ name, type }));
    return readingsOf(decodeBatchBody({ id: 0, device: "d" as DeviceUid, properties }, message.body));
  };
  return { host, sent, move, tell, settle, rowsOf };
}
const open: AgentToMapper = { t: "open", connection: "c", settings: { host: "h" }, line: defaultLine };
const group = (points: readonly PointSpec[]): AgentToMapper => ({
  t: "group",
  group: 1,
  connection: "c",
  device: "d",
  address: {},
  points,
});
const read = (id: number): AgentToMapper => ({ t: "read", id, group: 1, deadlineMs: 100 });

beforeEach(() => Object.assign(lamps, { opened: 0, closed: 0, refuseOpen: null, written: [] }));

test("host says who it is before anything else", () => {
  const { sent } = start();
  assert.deepEqual(sent, [{ t: "hello", protocol: { min: 1, max: 1 }, name: "lamp", version: "1.0.0", pid: 7 }]);
});

test("host.read opens lazily, says so once, and gives one row per point with its own quality", async () => {
  const { tell, rowsOf } = start();
  assert.deepEqual(await tell(open), []);
  assert.equal(lamps.opened, 0);
  const points = [
    point("on", "bool", { value: 1 }),
    point("dark", "bool", { fails: "mapper/device-busy" }),
    point("small", "int8", { value: 300 }),
    point("big", "int64", { value: 7 }),
    point("odd", "float64", { wrongType: true }),
    point("wrong", "float64", { value: "x" }),
  ];
  const [log, connected, values] = await tell(group(points), read(5));
  assert.equal(log?.t === "log" && log.message, 'Invalid spec.properties.wrong.visitor.value: "x": must be integer');
  assert.deepEqual(connected, { t: "connection", connection: "c", state: "connected", code: null, message: null });
  assert.equal(values?.t === "values" && values.id, 5);
  assert.deepEqual(
    rowsOf(values, points).map(({ property, value, quality, reason }) => [property, value, quality, reason]),
    [
      ["on", true, "good", null],
      ["dark", null, "bad", "mapper/device-busy"],
      ["small", null, "bad", "mapper/value-out-of-range"],
      ["big", 7n, "good", null],
      ["odd", null, "bad", "mapper/bad-answer"],
      ["wrong", null, "bad", "input/invalid"],
    ],
  );
  const again = await tell(read(6));
  assert.deepEqual(
    again.map((message) => message.t),
    ["values"],
  );
  assert.equal(lamps.opened, 1);
});

test("host.read answers at its deadline with bad rows though the driver hangs, and nothing comes later", async () => {
  const { tell, move, settle, sent, rowsOf } = start();
  const points = [point("a", "float64", { hangs: true })];
  await tell(open, group(points), read(1));
  assert.ok(!sent.some((message) => message.t === "values"));
  const [refused] = await tell(read(2));
  assert.deepEqual([refused?.t, refused?.t === "failed" && refused.code], ["failed", "collect/overrun"]);
  move(100);
  await settle();
  const [row] = rowsOf(sent.at(-1), points);
  assert.deepEqual([row?.quality, row?.reason, row?.value], ["bad", "mapper/timeout", null]);
  assert.equal(row?.time, 1_100_000);
});

test("host opens a lost connection again: at once, then ever later by its line's back-off, and tells what changed", async () => {
  const { tell, move, sent } = start();
  const line = { ...defaultLine, backOffFirstMs: 250, backOffLongestMs: 400 };
  await tell({ t: "open", connection: "c", settings: { host: "h" }, line }, group([point("a", "float64")]), read(1));
  lamps.refuseOpen = "mapper/connect-failed";
  lamps.lose();
  assert.deepEqual(
    sent.filter((message) => message.t === "connection").map((message) => [message.state, message.code]),
    [
      ["connected", null],
      ["lost", "mapper/connection-lost"],
    ],
  );
  assert.equal(lamps.closed, 1);
  await tell(read(2)); // at once
  assert.equal(lamps.opened, 2);
  await tell(read(3)); // within 250 ms × 0.75
  assert.equal(lamps.opened, 2);
  move(188);
  await tell(read(4));
  assert.equal(lamps.opened, 3);
  move(188);
  await tell(read(5));
  assert.equal(lamps.opened, 3); // as long as it may get by now: 400 ms × 0.75
  move(112);
  await tell(read(6));
  assert.equal(lamps.opened, 4);
  move(299);
  await tell(read(7));
  assert.equal(lamps.opened, 4);
  move(1);
  lamps.refuseOpen = null;
  await tell(read(8));
  assert.deepEqual(
    sent.filter((message) => message.t === "connection").map((message) => [message.state, message.code]),
    [
      ["connected", null],
      ["lost", "mapper/connection-lost"],
      ["lost", "mapper/connect-failed"],
      ["connected", null],
    ],
  );
});

test("host takes a read that fails as connection-lost for the end of the connection", async () => {
  const { tell, rowsOf } = start();
  const points = [point("a", "float64", { fails: "all" })];
  const told = await tell(open, group(points), read(1));
  assert.deepEqual(
    told.map((message) => message.t),
    ["connection", "connection", "values"],
  );
  assert.equal(rowsOf(told.at(-1), points)[0]?.reason, "mapper/connection-lost");
  assert.equal(lamps.closed, 1);
});

test("host.write and host.read-point answer each once, with the code when refused", async () => {
  const { tell, move, settle, sent } = start();
  const write = (id: number, visitor: JsonObject): AgentToMapper => ({
    t: "write",
    id,
    connection: "c",
    device: "d",
    address: {},
    points: [point("speed", "float64", visitor)],
    values: [42],
    deadlineMs: 100,
  });
  const answers = await tell(open, write(1, {}), write(2, { vaule: 1 }), {
    t: "read-point",
    id: 3,
    connection: "c",
    device: "d",
    address: {},
    point: point("speed", "float64", { value: 41 }),
    deadlineMs: 100,
  });
  assert.deepEqual(
    answers.filter((message) => "id" in message).toSorted((a, b) => a.id - b.id),
    [
      { t: "written", id: 1, outcomes: [null] },
      {
        t: "written",
        id: 2,
        outcomes: [
          {
            code: "input/invalid",
            message:
              "Invalid spec.properties.speed.visitor.vaule: 1: unknown field, known are value, fails, hangs, crashes, wrongType",
          },
        ],
      },
      { t: "point", id: 3, value: 41, reason: null },
    ],
  );
  assert.deepEqual(lamps.written, [42]);
  await tell(write(4, { hangs: true }));
  move(100);
  await settle();
  assert.deepEqual(sent.at(-1), {
    t: "failed",
    id: 4,
    code: "mapper/timeout",
    message: 'Cannot write "speed": no answer within 100 ms',
  });
});

test("host refuses bad connection settings without opening, and what was never announced", async () => {
  const { tell, rowsOf } = start();
  const points = [point("a", "float64")];
  const told = await tell({ t: "open", connection: "c", settings: {}, line: defaultLine }, group(points), read(1));
  assert.equal(told[0]?.t === "connection" && told[0].code, "input/invalid");
  assert.equal(rowsOf(told.at(-1), points)[0]?.reason, "input/invalid");
  assert.equal(lamps.opened, 0);
  const [failed] = await tell({ t: "read", id: 2, group: 9, deadlineMs: 100 });
  assert.equal(failed?.t === "failed" && failed.message, "Cannot read group 9: never announced");
});

test("host.open with the same settings changes nothing; with others it closes and opens anew", async () => {
  const { tell, host } = start();
  await tell(open, group([point("a", "float64")]), read(1), open);
  await tell(read(2));
  assert.deepEqual([lamps.opened, lamps.closed], [1, 0]);
  await tell({ t: "open", connection: "c", settings: { host: "other" }, line: defaultLine });
  await tell(read(3));
  assert.deepEqual([lamps.opened, lamps.closed], [2, 1]);
  await host.close();
  assert.equal(lamps.closed, 2);
});

test("host names the files that a followed request passes, and nothing for one that nobody follows", async () => {
  const { tell } = start();
  const points = [point("on", "bool", { value: 1 })];
  const [, followed] = await tell(open, group(points), { ...read(1), trace: true } as AgentToMapper);
  assert.deepEqual(followed?.t === "values" && followed.trace, [
    { file: "mapper-host/src/host.ts", message: "Values became rows with time and quality" },
  ]);
  const [plain] = await tell(read(2));
  assert.equal(plain?.t === "values" && "trace" in plain, false);
});
