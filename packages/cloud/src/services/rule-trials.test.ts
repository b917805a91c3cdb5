import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DeviceSpec, type DeviceUid, formatMicros, type Micros, type RuleSpec } from "@penstock/model";
import { system } from "./context.ts";
import { testBench } from "./test/test-bench.ts";
import { plant, ref, refuses, temperature, tenant } from "./test/test-plant.ts";

async function stage(t: TestContext) {
  const bench = await testBench();
  t.after(() => bench.close());
  const { node } = await plant(bench, "a");
  const spec = {
    node,
    connection: { protocol: "modbus", settings: { host: "h" } },
    properties: { temperature, count: { ...temperature, type: "int64", visitor: { table: "holding", offset: 4 } } },
  } as unknown as DeviceSpec;
  const { metadata } = await bench.services.devices.create(system, ref("oven"), { metadata: { name: "oven" }, spec });
  const run = (sql: string, more: object = {}) =>
    bench.services.ruleTrials.run(system, tenant, {
      spec: { nodes: [node], sql, actions: [{ log: {} }] } as RuleSpec,
      ...more,
    });
  return { bench, run, node, uid: metadata.uid as DeviceUid };
}
const start = Date.UTC(2026, 0, 1) * 1000;
const at = (seconds: number) => formatMicros((start + seconds * 1e6) as Micros);

test("a trial tells of each row whether WHERE let it pass, what it gave, and when open windows close", async (t) => {
  const { run, node } = await stage(t);
  const rows = [
    { time: at(1), values: { temperature: 10, count: 7 } },
    { time: at(2), values: { temperature: 30, count: 8 } },
    { time: at(12), values: { temperature: 50, count: 9 } },
  ];
  const sql =
    "SELECT sum(count) / 2 AS half, window_end() AS till FROM oven WHERE temperature > 20 GROUP BY TUMBLINGWINDOW(ss, 10)";
  const trial = await run(sql, { rows });
  assert.deepEqual([trial.node, trial.rowsIn, trial.truncated], [node, 3, false]);
  assert.deepEqual(
    trial.steps.map(({ stream, passed, closesAt, outputs }) => [
      stream,
      passed,
      closesAt,
      outputs.flatMap((one) => one.rows),
    ]),
    [
      ["oven", false, null, []],
      ["oven", true, at(10), []],
      [null, null, null, [{ half: 4, till: (start + 10e6) / 1000 }]],
      ["oven", true, at(20), []],
      [null, null, null, [{ half: 4, till: (start + 20e6) / 1000 }]],
    ],
  );
});

test("a trial tells the error of a row, and goes on", async (t) => {
  const { run } = await stage(t);
  const { steps } = await run("SELECT temperature / count AS ratio FROM oven", {
    rows: [{ values: { temperature: 1, count: 0 } }, { values: { temperature: 1, count: 2 } }],
  });
  assert.deepEqual(
    steps.map(({ errors, outputs }) => [errors, outputs.map(({ number, rows }) => [number, rows])]),
    [
      [["Cannot calculate 1 / 0: division by zero"], []],
      [[], [[1, [{ ratio: 0.5 }]]]],
    ],
  );
});

test("a trial runs on what is stored: readings of one moment are one row", async (t) => {
  const { bench, run, uid } = await stage(t);
  const reading = (property: string, seconds: number, value: number | bigint) =>
    bench.series.readings.push({
      ...{ device: uid, property, type: typeof value === "bigint" ? "int64" : "float64", value },
      ...{ time: (start + seconds * 1e6) as Micros, quality: "good", reason: null },
    });
  reading("temperature", 1, 20.5);
  reading("count", 1, 3n);
  reading("count", 2, 9_007_199_254_740_993n);
  const { steps } = await run("SELECT temperature, count FROM oven", { recorded: { from: at(0), to: at(60) } });
  assert.deepEqual(
    steps.map((step) => step.outputs[0]?.rows),
    [[{ temperature: 20.5, count: 3 }], [{ temperature: null, count: "9007199254740993" }]],
  );
});

test("a trial is refused as storing the rule would be, and stores nothing", async (t) => {
  const { bench, run } = await stage(t);
  await assert.rejects(run("SELECT nothing FROM oven"), refuses("input/invalid", /there is no column "nothing"/));
  await assert.rejects(
    run("SELECT count FROM oven", {
      rows: [
        { time: at(2), values: {} },
        { time: at(1), values: {} },
      ],
    }),
    refuses("input/invalid", /rows\[1\]\.time/),
  );
  await assert.rejects(
    bench.services.ruleTrials.run(system, "nobody", {
      spec: { nodes: ["x"], sql: "SELECT a FROM b", actions: [{ log: {} }] },
    }),
    refuses("resource/not-found"),
  );
  assert.deepEqual((await bench.services.rules.list(system, tenant, {})).items, []);
});

test("a trial asks no lookup table: typed-in rows are what it answers, wherever they stand", async (t) => {
  const { bench, node } = await stage(t);
  const http = { url: "http://10.0.0.9/batches" };
  const sql =
    "SELECT o.count AS c, b.name AS name FROM oven AS o LEFT JOIN batches AS b ON o.count = b.id GROUP BY COUNTWINDOW(2)";
  const spec = { nodes: [node], sql, actions: [{ log: {} }], sources: { batches: { lookup: { http } } } };
  const run = (more: object) => bench.services.ruleTrials.run(system, tenant, { spec: spec as RuleSpec, ...more });
  const readings = [{ values: { count: 5 } }, { values: { count: 6 } }];
  const given = await run({ rows: [...readings, { stream: "batches", values: { id: "5", name: "five" } }] });
  assert.deepEqual(
    given.steps.flatMap(({ outputs }) => outputs.flatMap(({ rows }) => rows)),
    [
      { c: 5, name: "five" },
      { c: 6, name: null },
    ],
  );
  assert.deepEqual(
    given.steps.flatMap(({ errors }) => errors),
    [],
  );
  const none = await run({ rows: readings });
  assert.deepEqual(
    none.steps.flatMap(({ errors }) => errors),
    Array.from(
      readings,
      () =>
        'Cannot look up in "batches": a trial asks nobody; type in rows with stream "batches", which are what it answers',
    ),
  );
});
