import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { isVague, learnTransit, onTheWay, type Transit, uncountedMicros } from "./transit.ts";

const second = 1_000_000;
const driftPpm = 200;
/** both buckets, each longer by as much as two messages lie apart */
const driftMicros = (driftPpm / 1e6) * 2 * (120 + 75) * second;

interface Event {
  /** since the one before was made, or asked */
  readonly gap: number;
  readonly up: number;
  readonly down: number;
  readonly isAnswer: boolean;
}
interface Seen {
  readonly at: number;
  readonly real: number;
  readonly estimate: number;
}

/** A session as it is: the lane keeps its order, so what is held up holds up what follows. The greeting is an answer. */
function session(events: readonly Event[], ppm: number): Seen[] {
  const zero = 40 * second;
  const stampAt = (time: number) => Math.floor((time - zero) * (1 + ppm / 1e6));
  const seen: Seen[] = [];
  let transit: Transit | null = null;
  let [time, arrived, answeredAt] = [zero, 0, Number.NEGATIVE_INFINITY];
  for (const { gap, up, down, isAnswer } of events) {
    time += gap;
    const asks = isAnswer || time - answeredAt > 60 * second;
    if (asks) answeredAt = time;
    const made = asks ? time + up : time;
    const stamp = stampAt(made);
    arrived = Math.max(arrived, made + down);
    transit = learnTransit(
      transit,
      { stamp, now: arrived },
      asks ? { askedAt: time, heardStamp: stampAt(time + up) } : null,
    );
    const estimate = onTheWay(transit, { stamp, now: arrived });
    seen.push({ at: arrived, real: arrived - made, estimate });
    time = Math.max(time, made);
  }
  return seen;
}

const down = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 100, max: second / 2 }) },
  { weight: 1, arbitrary: fc.integer({ min: second, max: 15 * second }) },
);
const eventOf = (up: fc.Arbitrary<number>) =>
  fc.record({ gap: fc.integer({ min: 0, max: 60 * second }), up, down, isAnswer: fc.boolean() });
const ppm = fc.integer({ min: -driftPpm, max: driftPpm });

function assertAtLeast(seen: readonly Seen[]): void {
  for (const [i, { at, real, estimate }] of seen.entries()) {
    let shortest = real;
    for (let k = i; k >= 0 && at - seen[k]!.at < 120 * second; k--) shortest = Math.min(shortest, seen[k]!.real);
    const least = real - Math.min(shortest, uncountedMicros) - driftMicros;
    assert.ok(estimate >= least, `message ${i} took ${real}, the shortest ${shortest}: ${estimate} were counted`);
  }
}

function assertAtMost(seen: readonly Seen[], beyond: number): void {
  for (const [i, { real, estimate }] of seen.entries()) {
    assert.ok(estimate <= real + beyond + driftMicros, `message ${i} took ${real}: ${estimate} were counted`);
  }
}

test("onTheWay() counts the real time less the shortest way and less a second, and never more than the real time", () => {
  const event = eventOf(fc.integer({ min: 0, max: uncountedMicros }));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), ppm, (events, drift) => {
      const seen = session(events, drift);
      assertAtLeast(seen);
      assertAtMost(seen, 0);
    }),
    { numRuns: 300 },
  );
});

test("onTheWay() counts too much only by what every question of ours took beyond a second to get up", () => {
  const up = 4 * second;
  fc.assert(
    fc.property(fc.array(eventOf(fc.constant(up)), { maxLength: 60 }), ppm, (events, drift) => {
      const seen = session(events, drift);
      assertAtLeast(seen);
      assertAtMost(seen, up - uncountedMicros);
    }),
    { numRuns: 200 },
  );
});

for (const drift of [driftPpm, -driftPpm]) {
  test(`onTheWay() is as good after three days of ${drift} ppm`, () => {
    const events = Array.from({ length: 4400 }, (_, i): Event => {
      return { gap: 59 * second, up: 20_000, down: i % 97 === 96 ? 13 * second : 20_000, isAnswer: i % 2 === 0 };
    });
    const seen = session(events, drift);
    assert.ok(seen.at(-1)!.at > 3 * 86_400 * second);
    assertAtLeast(seen);
    assertAtMost(seen, 0);
  });
}

test("onTheWay() tells that the very first message was late: its answer cannot be older than our question", () => {
  const transit = learnTransit(null, { stamp: 0, now: 12 * second }, { askedAt: 0, heardStamp: 0 });
  assert.equal(onTheWay(transit, { stamp: 0, now: 12 * second }), 11 * second);
  assert.ok(isVague(transit), "another answer may tell more");
  const better = learnTransit(transit, { stamp: 13 * second, now: 13.02 * second }, null);
  assert.equal(onTheWay(better, { stamp: 0, now: 12 * second }), 11.98 * second);
});

test("onTheWay() tells how late what waited for a paused gateway is, however long the pause", () => {
  const start = learnTransit(null, { stamp: 100, now: 200 }, { askedAt: 0, heardStamp: 50 });
  const now = 3600 * second;
  const transit = learnTransit(start, { stamp: second, now }, null);
  assert.equal(onTheWay(transit, { stamp: second, now }), now - second - 100);
});

test("learnTransit() begins anew when one of the machines slept, its clock with it", () => {
  const start = learnTransit(null, { stamp: 0, now: 1000 }, { askedAt: 0, heardStamp: 0 });
  const slept = 30 * second;
  const gatewaySlept = learnTransit(start, { stamp: slept + second, now: second + 1000 }, null);
  assert.equal(onTheWay(gatewaySlept, { stamp: slept + 2 * second, now: 5 * second + 1000 }), 3 * second);
  assert.ok(isVague(gatewaySlept), "how long that message took must be asked");
  const answered = { askedAt: slept + second, heardStamp: second };
  const cloudSlept = learnTransit(start, { stamp: second, now: slept + second + 1000 }, answered);
  assert.equal(onTheWay(cloudSlept, { stamp: second, now: slept + second + 1000 }), 0);
});
