import assert from "node:assert/strict";
import { test } from "node:test";
import {
  batchFromSamples,
  type DeviceUid,
  type EffectiveDevice,
  type EffectiveProperty,
  type ErrorCode,
  type Layout,
  layoutOrder,
  type Micros,
  type ReadingBatch,
  type ReportPolicy,
  readingsOf,
  type Sample,
  type Value,
  type ValueType,
} from "@penstock/model";
import { metricsRegistry } from "@penstock/runtime";
import fc from "fast-check";
import { reportFilter } from "./report-filter.ts";

const uid = "press" as DeviceUid;
const everything: ReportPolicy = { toCloud: true, cadence: null, deadband: null, atLeastMs: null };

function property(name: string, type: ValueType, report: Partial<ReportPolicy>, everyMs = 1000): EffectiveProperty {
  const rest = { unit: null, access: "read", minimum: null, maximum: null, visitor: {}, publish: null } as const;
  return {
    ...{ name, type, ...rest, collect: { everyMs }, localWrites: "refuse", custom: {} },
    report: { ...everything, ...report },
  };
}
function deviceOf(properties: readonly EffectiveProperty[]): EffectiveDevice {
  const rest = { name: "press", generation: 1, connection: "bus" as EffectiveDevice["connection"], address: {} };
  return { uid, ...rest, properties, methods: [], offlineAfterMs: null, custom: {} };
}
const start = Date.parse("2027-05-01T00:00:00Z") * 1000;

/** A filter for one device whose time a test moves. */
function setUp(properties: readonly EffectiveProperty[]) {
  let device: EffectiveDevice | null = deviceOf(properties);
  let now = 5_000_000;
  const metrics = metricsRegistry();
  const filter = reportFilter({
    lookup: () => device,
    timeZone: () => "Europe/Berlin",
    clock: { monotonic: () => now },
    metrics,
  });
  const layout: Layout = { id: 0, device: uid, properties: layoutOrder(properties) };
  const batch = (values: Record<string, Value | Partial<Sample>>, isUncertain = false): ReadingBatch => {
    const samples = Object.entries(values).map(([name, given]): Sample => {
      const isSample = typeof given === "object" && given !== null && "quality" in given;
      const good = { property: name, time: (start + now) as Micros, value: 0, quality: "good", reason: null } as const;
      return { ...good, ...(isSample ? given : { value: given as Value }) };
    });
    const clock = isUncertain ? ({ boot: "b", monotonic: now } as unknown as ReadingBatch["clock"]) : null;
    return batchFromSamples({ layout, samples, clock }).batch;
  };
  return {
    filter,
    layout,
    batch,
    /** names and values that go to the cloud */
    pass: (values: Record<string, Value | Partial<Sample>>, isUncertain = false) => {
      const chosen = filter.choose(batch(values, isUncertain));
      return chosen === null ? [] : readingsOf(chosen).map(({ property, value }) => [property, value]);
    },
    wait: (ms: number) => {
      now += ms * 1000;
    },
    now: () => now,
    setDevice: (to: EffectiveDevice | null) => {
      device = to;
    },
    withheld: () => metrics.totals().penstock_outbox_withheld_total ?? 0,
  };
}

test("reportFilter hands on a batch untouched whose properties all report everything, or that nobody describes", () => {
  const { filter, batch, setDevice, withheld } = setUp([property("a", "float64", {}), property("b", "bool", {})]);
  const one = batch({ a: 1, b: true });
  assert.equal(filter.choose(one), one);
  setDevice(null);
  assert.equal(filter.choose(one), one);
  assert.equal(withheld(), 0);
});

test("reportFilter takes the rows that go out of every column, with their times, flags and reasons", () => {
  const local = { toCloud: false };
  const rows: [string, ValueType, Value, Value][] = [
    ["bool", "bool", true, false],
    ["int64", "int64", 9007199254740993n, 9007199254740994n],
    ["uint8", "uint8", 7, 8],
    ["float32", "float32", 0.5, 1.5],
    ["string", "string", "x", "y"],
    ["bytes", "bytes", Uint8Array.of(1), Uint8Array.of(2)],
    ["json", "json", { json: { a: [1] } }, { json: null }],
  ];
  const properties = rows.flatMap(([name, type]) => [property(`${name}-up`, type, {}), property(name, type, local)]);
  const { filter, batch, withheld } = setUp(properties);
  const bad = { value: null, quality: "bad", reason: "mapper/timeout", time: (start + 9) as Micros } as const;
  const values = Object.fromEntries(
    rows.flatMap(
      ([name, , a, b]) =>
        [
          [`${name}-up`, a],
          [name, b],
        ] as const,
    ),
  );
  const given = batch({ ...values, "uint8-up": bad });
  const chosen = readingsOf(filter.choose(given)!);
  assert.deepEqual(
    chosen,
    readingsOf(given).filter((reading) => reading.property.endsWith("-up")),
  );
  assert.equal(withheld(), rows.length);
  assert.equal(filter.choose(batch({ bool: true, string: "z" })), null);
});

test("report on change: any change of any type, exactly, and every change of quality or reason", () => {
  const types: [ValueType, Value, Value][] = [
    ["bool", false, true],
    ["int64", 9223372036854775807n, 9223372036854775806n],
    ["uint64", 18446744073709551615n, 18446744073709551614n],
    ["float64", 0.1, 0.1 + 2 ** -55],
    ["string", "a", "b"],
    ["bytes", Uint8Array.of(1, 2), Uint8Array.of(1, 3)],
    ["json", { json: { a: 1, b: [2] } }, { json: { a: 1, b: [3] } }],
  ];
  for (const [type, before, after] of types) {
    const { pass } = setUp([property("p", type, { deadband: 0 })]);
    const bad = (reason: ErrorCode) => ({ value: null, quality: "bad", reason }) as const;
    assert.equal(pass({ p: before }).length, 1, `${type}: the first`);
    assert.equal(pass({ p: before }).length, 0, `${type}: the same`);
    assert.equal(pass({ p: after }).length, 1, `${type}: another`);
    assert.equal(pass({ p: bad("mapper/timeout") }).length, 1, `${type}: bad`);
    assert.equal(pass({ p: bad("mapper/timeout") }).length, 0, `${type}: still bad`);
    assert.equal(pass({ p: bad("mapper/stopped") }).length, 1, `${type}: bad for another reason`);
    assert.equal(pass({ p: after }).length, 1, `${type}: good again`);
  }
  const { pass } = setUp([property("p", "json", { deadband: 0 })]);
  pass({ p: { json: { a: 1, b: 2 } } });
  assert.equal(pass({ p: { json: { b: 2, a: 1 } } }).length, 0, "the order of keys is no change");
});

test("report on change: a dead band on 64-bit integers does not go through doubles", () => {
  const { pass } = setUp([property("p", "int64", { deadband: 2 })]);
  const base = 9007199254740992n;
  assert.deepEqual(pass({ p: base }), [["p", base]]);
  assert.deepEqual(pass({ p: base + 2n }), []);
  assert.deepEqual(pass({ p: base + 3n }), [["p", base + 3n]], "as doubles the two are 4 apart, or 2");
  assert.deepEqual(pass({ p: base + 1n }), []);
});

test("between two reports every withheld value lies within the dead band, and a report comes as soon as one does not", () => {
  const series = fc.array(fc.oneof(fc.double({ min: -10, max: 10, noNaN: true }), fc.constant(null)), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(series, fc.double({ min: 0, max: 4, noNaN: true }), (values, deadband) => {
      const { pass, wait } = setUp([property("p", "float64", { deadband })]);
      let reported: number | null | undefined;
      for (const value of values) {
        const given = value ?? { value: null, quality: "bad" as const, reason: "mapper/timeout" as const };
        const isReported = pass({ p: given }).length === 1;
        const isSameQuality = reported !== undefined && (reported === null) === (value === null);
        const isWithin = isSameQuality && (value === null || Math.abs(value - reported!) <= deadband);
        assert.equal(isReported, !isWithin);
        if (isReported) reported = value;
        wait(1000);
      }
    }),
  );
});

test("a heartbeat never comes later than atLeast and one cycle after the last report, and never sooner than atLeast", () => {
  const gaps = fc.array(fc.integer({ min: 50, max: 1500 }), { minLength: 20, maxLength: 80 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 100, max: 10_000 }), (cycles, atLeastMs) => {
      const { pass, wait, now } = setUp([property("p", "float64", { deadband: 1, atLeastMs })]);
      let last = now();
      pass({ p: 5 });
      for (const ms of cycles) {
        wait(ms);
        const sinceMs = (now() - last) / 1000;
        const isReported = pass({ p: 5 }).length === 1;
        assert.equal(isReported, sinceMs >= atLeastMs);
        if (isReported) assert.ok(sinceMs < atLeastMs + ms);
        if (isReported) last = now();
      }
    }),
  );
});

test("a period's first reading goes and no other, however cycles jitter about their time", () => {
  const jitter = fc.array(fc.integer({ min: -450, max: 450 }), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(jitter, fc.integer({ min: 1, max: 7 }), (offsets, cyclesAPeriod) => {
      const everyMs = cyclesAPeriod * 1000;
      const { pass, wait } = setUp([property("p", "float64", { cadence: { everyMs } })]);
      const reported: number[] = [];
      pass({ p: 0 });
      let at = 0;
      offsets.forEach((offset, i) => {
        const due = (i + 1) * 1000 + offset;
        wait(due - at);
        at = due;
        if (pass({ p: i + 1 }).length === 1) reported.push(i + 1);
      });
      const wanted = Array.from({ length: Math.floor(60 / cyclesAPeriod) }, (_, i) => (i + 1) * cyclesAPeriod);
      assert.deepEqual(reported, wanted);
    }),
    { numRuns: 50 },
  );
});

test("a period and changes: a change goes at once, and the period's reading besides", () => {
  const { pass, wait } = setUp([property("p", "float64", { cadence: { everyMs: 10_000 }, deadband: 1 })]);
  const reported: number[] = [];
  for (let i = 0; i < 31; i++) {
    if (pass({ p: i === 4 || i === 5 ? 9 : 0 }).length === 1) reported.push(i);
    wait(1000);
  }
  assert.deepEqual(reported, [0, 4, 6, 10, 20, 30]);
});

test("times of day: the first reading at or after one of them in the node's time zone, none while the time is uncertain", () => {
  // 06:00 in Berlin is 04:00 UTC in May.
  const { pass, wait } = setUp([property("p", "float64", { cadence: { atSeconds: [6 * 3600] } })]);
  pass({ p: 0 });
  wait(4 * 3_600_000 - 10_000);
  assert.equal(pass({ p: 1 }).length, 0);
  wait(10_000);
  assert.equal(pass({ p: 2 }, true).length, 0);
  wait(10_000);
  assert.equal(pass({ p: 3 }).length, 1);
  wait(10_000);
  assert.equal(pass({ p: 4 }).length, 0);
});

test("what the outbox refused is reported with the next reading; an edit elsewhere in the device reports nothing again", () => {
  const p = property("p", "float64", { deadband: 1 });
  const { filter, batch, pass, setDevice } = setUp([p]);
  pass({ p: 1 });
  filter.refused(batch({ p: 1 }));
  assert.equal(pass({ p: 1 }).length, 1);
  setDevice(deviceOf([structuredClone(p), property("q", "bool", {})]));
  assert.equal(pass({ p: 1 }).length, 0);
  setDevice(deviceOf([property("p", "float64", { deadband: 2 })]));
  assert.equal(pass({ p: 1 }).length, 1, "its policy is another");
  setDevice(null);
  filter.devicesChanged();
  setDevice(deviceOf([property("p", "float64", { deadband: 2 })]));
  assert.equal(pass({ p: 1 }).length, 1, "it was gone");
});

test("reportMs is the mean time between reports of the last minute", () => {
  const { filter, pass, wait, layout } = setUp([property("p", "float64", { cadence: { everyMs: 5000 } })]);
  assert.equal(filter.reportMs(layout), null);
  for (let i = 0; i < 60; i++) {
    pass({ p: i });
    wait(1000);
  }
  assert.equal(filter.reportMs(layout), 5000);
  wait(120_000);
  assert.equal(filter.reportMs(layout), null);
});
