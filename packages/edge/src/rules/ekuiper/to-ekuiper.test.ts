// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns that are asked by
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EffectiveDevice, EffectiveRule, RuleSourceSpec } from "@penstock/model";
import fc from "fast-check";
import { fromEkuiper, localUid } from "./from-ekuiper.ts";
import { type EkuiperSurroundings, toEkuiper } from "./to-ekuiper.ts";

const tank = {
  name: "tank-01",
  uid: "d".repeat(32),
  properties: [
    { name: "level", type: "float64" },
    { name: "count", type: "uint16" },
    { name: "on", type: "bool" },
    { name: "text", type: "string" },
  ],
} as unknown as EffectiveDevice;
const around: EkuiperSurroundings = {
  broker: { server: "tcp://127.0.0.1:1883", user: "ekuiper", password: 'a"b\\' },
  devices: [tank],
  prefix: "penstock_",
  rowsTopic: ({ name }) => `rows/${name}`,
  resultsTopic: ({ name }) => `results/${name}`,
};
const rule = (more: Partial<EffectiveRule>): EffectiveRule => ({
  ...{ uid: localUid("high"), name: "high", generation: 1, sql: "SELECT level FROM `tank-01`", mode: "compat" },
  ...{ isStopped: false, eventTime: null, sources: {}, actions: [{ log: {} }], ...more },
});
const made = (more: Partial<EffectiveRule>) => {
  const there = toEkuiper(rule(more), around);
  assert.ok(typeof there !== "string", String(there));
  return there;
};

test("toEkuiper() makes a stream of a device, and one sink that brings results back", () => {
  const there = made({
    sql: "SELECT level, tank-01.count FROM tank-01 WHERE level > 1".replaceAll("tank-01", "`tank-01`"),
  });
  assert.equal(there.id, "penstock_high");
  assert.deepEqual(Object.fromEntries(there.streams), {
    "penstock_tank-01": {
      kind: "streams",
      sql:
        "CREATE STREAM `penstock_tank-01` (`level` FLOAT, `count` BIGINT, `on` BOOLEAN, `text` STRING) WITH " +
        '(TYPE="mqtt", DATASOURCE="rows/tank-01", FORMAT="JSON", SHARED="true", ' +
        'EXTRA="{\\"server\\":\\"tcp://127.0.0.1:1883\\",\\"username\\":\\"ekuiper\\",\\"password\\":\\"a\\\\\\"b\\\\\\\\\\"}")',
    },
  });
  assert.equal(there.rule.sql, "SELECT level, `tank-01`.count FROM `penstock_tank-01` AS `tank-01`  WHERE level > 1");
  assert.deepEqual(there.rule.actions, [
    {
      mqtt: {
        ...{ server: "tcp://127.0.0.1:1883", username: "ekuiper", password: 'a"b\\' },
        ...{ topic: "results/high", qos: 1, sendSingle: false },
      },
    },
  ]);
});

test("toEkuiper() says what it cannot make", () => {
  const said = (more: Partial<EffectiveRule>) => toEkuiper(rule(more), around);
  assert.equal(said({ sql: "SELECT a FROM nobody" }), 'There is no device and no source "nobody"');
  assert.match(String(said({ sql: "SELECT a FROM m", sources: { m: { memory: {} } } })), /source "m" is of a kind/);
  for (const lookup of [
    { redis: { url: "redis://h", key: "b:${x}" } },
    { redis: { url: "redis://h", as: "hash" as const } },
    { http: { url: "http://h/${x}" } },
    { http: { url: "http://h", token: "t" } },
  ])
    assert.match(String(said({ sql: "SELECT a FROM m", sources: { m: { lookup } } })), /source "m" is of a kind/);
  // A strict rule goes where an eKuiper reads it too.
  assert.throws(() => said({ mode: "strict", sql: "SELECT level FROM `tank-01` WHERE level IS NULL" }), {
    code: "rules/bad-sql",
  });
});

const topic = fc.stringMatching(/^[a-z0-9/+"\\' ]{1,20}$/);
const mqtt = fc.record(
  { url: fc.constantFrom("mqtt://h:1883", "mqtts://broker.example:8883"), user: fc.string(), password: fc.string() },
  { requiredKeys: ["url"] },
);
const word = fc.stringMatching(/^[a-z0-9 :@%/'"]{1,12}$/);
const login = fc.record({ user: word, password: word }, { requiredKeys: [] });
const who = fc.oneof(
  fc
    .tuple(login, fc.constantFrom("redis://h:6379", "redis://h:6380/3"), fc.constantFrom(undefined, "list" as const))
    .map(([of, url, as]) => ({ redis: { url, ...of, ...(as !== undefined && { as }) } })),
  // Without a user a password is nobody's.
  fc
    .tuple(word, word, fc.constantFrom("postgres://h:5432/d", "mysql://h/d"), fc.constantFrom("t", "plant.t"))
    .map(([user, password, url, table]) => ({ sql: { url, user, password, table } })),
  fc.constantFrom({}, { headers: { A: "b" } }).map((of) => ({ http: { url: "http://h/v?x=1", ...of } })),
);
const lookup = fc
  .tuple(who, fc.integer({ min: 0, max: 100_000 }))
  .map(([of, ms]) => ({ lookup: { ...of, ttl: ms === 0 ? "0s" : `${ms}ms` } }));

const source: fc.Arbitrary<RuleSourceSpec> = fc
  .record(
    {
      place: fc.oneof(
        fc.record({ topic, broker: mqtt }, { requiredKeys: ["topic"] }).map((settings) => ({ mqtt: settings })),
        fc
          .record({ url: fc.webUrl(), every: fc.integer({ min: 1, max: 100_000 }).map((ms) => `${ms}ms`) })
          .map((http) => ({ http })),
      ),
      columns: fc.constantFrom("a bigint", "a bigint, b STRUCT(c float, d ARRAY(string))"),
      table: fc.record({ rows: fc.integer({ min: 1, max: 100 }) }),
    },
    { requiredKeys: ["place"] },
  )
  .map(({ place, ...more }) => ({ ...place, ...more }) as RuleSourceSpec)
  .chain((made) =>
    fc.oneof(
      fc.constant(made),
      lookup.map((of) => of as RuleSourceSpec),
    ),
  )
  // Of no prototype, as the generator makes them, is no difference that matters.
  .map((made) => JSON.parse(JSON.stringify(made)) as RuleSourceSpec);

test("what toEkuiper() makes, fromEkuiper() reads as the same sources, time and state", () => {
  fc.assert(
    fc.property(source, fc.boolean(), fc.option(fc.integer({ min: 0, max: 100_000 })), (given, isStopped, late) => {
      const eventTime = late === null ? null : { lateToleranceMs: late, idleAfterMs: 1 };
      const there = made({ sql: "SELECT * FROM s AS x", sources: { s: given }, isStopped, eventTime });
      const streams = new Map([...there.streams].map(([name, { sql }]) => [name, sql]));
      const { rule: back, findings } = fromEkuiper({
        ...{ rule: JSON.parse(JSON.stringify(there.rule)), streams },
        ownBrokers: new Set(["127.0.0.1:1883"]),
      });
      assert.ok(back !== null, JSON.stringify(findings));
      assert.deepEqual(back.sources.penstock_high_s, meant(given), JSON.stringify([...streams.values()]));
      assert.equal(back.isStopped, isStopped);
      assert.equal(back.eventTime?.lateToleranceMs ?? null, late);
      assert.deepEqual(back.actions, [{ mqtt: { topic: "results/high", qos: 1, send: "list" } }]);
    }),
    { numRuns: 300 },
  );
});

/** A login of nobody is none. */
function meant(given: RuleSourceSpec): RuleSourceSpec {
  if (given.mqtt?.broker === undefined) return given;
  const { url, user = "", password = "" } = given.mqtt.broker;
  const broker = { url, ...(user !== "" && { user }), ...(password !== "" && { password }) };
  return { ...given, mqtt: { ...given.mqtt, broker } };
}
