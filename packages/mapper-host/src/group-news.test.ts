import assert from "node:assert/strict";
import { test } from "node:test";
import type { PointResult } from "@penstock/mapper-sdk";
import { type DeviceUid, limits, type Micros, type Reading, readingsOf } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { decodeBatchBody, type MapperToAgent, newsInFlight } from "@penstock/wire";
import fc from "fast-check";
import { GroupNews } from "./group-news.ts";

type News = Extract<MapperToAgent, { t: "news" }>;

const points = [
  { property: "count", type: "int64", visitor: {} },
  { property: "level", type: "float64", visitor: {} },
] as const;

function setUp() {
  let now = 5_000_000;
  let timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => now as Micros,
    monotonic: () => now,
    after: (_, run) => {
      timers.push(run);
      return () => {
        timers = timers.filter((other) => other !== run);
      };
    },
  };
  const sent: News[] = [];
  const send = (message: MapperToAgent) => void (message.t === "news" && sent.push(message));
  const news = new GroupNews({ group: 3, device: "d", points, clock, send });
  const tick = (us = 1000) => {
    now += us;
    for (const run of timers.splice(0)) run();
  };
  const layout = {
    id: 0,
    device: "d" as DeviceUid,
    properties: points.map(({ property: name, type }) => ({ name, type })),
  };
  const rows = (message: News): Reading[] => readingsOf(decodeBatchBody(layout, message.body));
  return { news, sent, tick, rows };
}

test("GroupNews sends what falls close together in one message, and several changes of one property in their order", () => {
  const { news, sent, tick, rows } = setUp();
  news.add(1, { value: 1.5, monotonic: 5_000_100 });
  news.add(0, { value: 7n, monotonic: 5_000_200 });
  news.add(1, { value: 2.5, monotonic: 5_000_300 });
  assert.equal(sent.length, 0);
  tick();
  assert.deepEqual(
    sent.map((message) => rows(message).map(({ property, value, time }) => [property, value, time])),
    [
      [
        ["count", 7n, 5_000_200],
        ["level", 1.5, 5_000_100],
      ],
      [["level", 2.5, 5_000_300]],
    ],
  );
  assert.deepEqual(
    sent.map(({ group, isWall, dropped }) => [group, isWall, dropped]),
    [
      [3, false, 0],
      [3, false, 0],
    ],
  );
});

test("GroupNews keeps the device's own times apart from ours, and times too far apart for one batch", () => {
  const { news, sent, tick, rows } = setUp();
  const wall = 1_700_000_000_000_000;
  news.add(0, { value: 1n, time: wall });
  news.add(1, { value: 1, monotonic: 5_000_000 });
  news.add(0, { value: 2n, time: wall + 1 });
  news.add(1, { value: 2, time: wall + 3_600_000_000 });
  tick();
  assert.deepEqual(
    sent.map(({ isWall }) => isWall),
    [true, false, true, true],
  );
  assert.deepEqual(
    sent.flatMap(rows).map(({ time }) => time),
    [wall, 5_000_000, wall + 1, wall + 3_600_000_000],
  );
});

test("GroupNews: a value that cannot be of its type is bad, a row that is not there is passed over", () => {
  const { news, sent, tick, rows } = setUp();
  news.add(0, { value: 1.5 });
  news.add(1, { value: Number.NaN });
  news.add(7, { value: 1 });
  tick();
  assert.deepEqual(
    rows(sent[0]!).map(({ value, quality, reason }) => [value, quality, reason]),
    [
      [null, "bad", "mapper/bad-answer"],
      [null, "bad", "mapper/value-not-finite"],
    ],
  );
  assert.equal(sent.length, 1);
});

test("GroupNews: beyond its bound the oldest changes go and are counted; nothing is sent once it is closed", () => {
  const { news, sent, tick, rows } = setUp();
  for (let i = 0; i < newsInFlight; i++) {
    news.add(0, { value: BigInt(i) });
    tick();
  }
  assert.equal(sent.length, newsInFlight);
  for (let i = 0; i < limits.newsWaiting + 3; i++) news.add(0, { value: BigInt(i) });
  tick();
  assert.equal(sent.length, newsInFlight, "nobody has taken any");
  news.taken();
  assert.equal(sent.length, newsInFlight + 1);
  assert.equal(sent.at(-1)!.dropped, 3);
  assert.equal(rows(sent.at(-1)!)[0]!.value, 3n);
  news.close();
  news.taken();
  tick();
  assert.equal(sent.length, newsInFlight + 1);
});

test("GroupNews.room() is there until half of the bound waits, and again when less does", async () => {
  const { news, sent, tick } = setUp();
  let told = 0;
  const add = (count: number) => {
    for (let i = 0; i < count; i++) news.add(0, { value: BigInt(i) });
  };
  add(limits.newsWaiting / 2 + newsInFlight - 1);
  tick();
  assert.equal(sent.length, newsInFlight);
  assert.equal(news.room(), null);
  add(2);
  for (const room of [news.room(), news.room()]) void room!.then(() => told++);
  news.taken();
  await Promise.resolve();
  assert.equal(told, 0);
  news.taken();
  await Promise.resolve();
  assert.deepEqual([told, news.room()], [2, null]);
  add(10);
  const last = news.room()!;
  news.close();
  await last;
  assert.equal(news.room(), null);
});

test("GroupNews: whatever comes and however it is taken, every change arrives once and in its order", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ t: fc.constant("add" as const), row: fc.integer({ min: 0, max: 1 }) }) },
    { weight: 2, arbitrary: fc.constant({ t: "tick" as const }) },
    { weight: 2, arbitrary: fc.constant({ t: "taken" as const }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const { news, sent, tick, rows } = setUp();
      const added: unknown[][] = [[], []];
      let number = 0;
      let taken = 0;
      for (const made of steps) {
        if (made.t === "tick") tick();
        else if (made.t === "taken" && taken < sent.length) {
          taken++;
          news.taken();
        } else if (made.t === "add") {
          number++;
          const result: PointResult = { value: made.row === 0 ? BigInt(number) : number };
          added[made.row]!.push(result.value);
          news.add(made.row, result);
        }
        assert.ok(sent.length - taken <= newsInFlight);
      }
      news.flush();
      for (; taken < sent.length; taken++) news.taken();
      const all = sent.flatMap(rows);
      assert.deepEqual(
        ["count", "level"].map((name) => all.filter(({ property }) => property === name).map(({ value }) => value)),
        added,
      );
    }),
    { numRuns: 200 },
  );
});
