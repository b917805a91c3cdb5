// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of actions have placeholders of the same shape
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleActionSpec } from "@penstock/model";
import { fromEkuiper } from "./from-ekuiper.ts";
import { fromStream } from "./from-stream.ts";
import { fromTemplate } from "./from-template.ts";
import { msOf } from "./props.ts";

const ownBrokers = new Set(["127.0.0.1:1883", "localhost:1883"]);
const streams = new Map([
  ["demo", 'CREATE STREAM demo (id bigint, t float) WITH (DATASOURCE="plant/+/t", FORMAT="JSON", SHARED="TRUE", );'],
  ["pipe", 'CREATE STREAM pipe () WITH (TYPE="memory", DATASOURCE="out/hot", FORMAT="json")'],
]);
const read = (rule: object) => {
  const given = { id: "r1", sql: "SELECT * FROM demo", actions: [{ log: {} }], ...rule };
  const { rule: made, findings } = fromEkuiper({ rule: given, streams, ownBrokers });
  return { made, told: findings.map(({ field, level }) => `${field} ${level}`), findings };
};
const action = (kind: string, settings: object) => read({ actions: [{ [kind]: settings }] });

const actions: readonly [
  name: string,
  kind: string,
  settings: object,
  gives: RuleActionSpec,
  told: readonly string[],
][] = [
  ["log", "log", {}, { log: {} }, []],
  ["nothing", "nop", {}, { memory: { stream: "nop" } }, []],
  ["nothing, but logged", "nop", { log: true }, { log: {} }, []],
  [
    "MQTT at another broker, row by row",
    "mqtt",
    {
      ...{ server: "tcp://47.52.67.87", topic: "x/{{.device}}", qos: 2, retained: true, sendSingle: true },
      ...{ username: "u", password: "p", clientId: "c", dataTemplate: '{"v":{{.t}},"who":"{{.a.b}}"}' },
    },
    {
      mqtt: {
        ...{ topic: "x/${device}", qos: 1, retain: true, send: "each", template: '{"v":${t},"who":"${a.b}"}' },
        broker: { url: "mqtt://47.52.67.87:1883", user: "u", password: "p" },
      },
    },
    ["clientId note", "qos lossy"],
  ],
  [
    "MQTT at the gateway's own broker, as a list",
    "mqtt",
    { server: "tcp://127.0.0.1:1883", topic: "out", dataTemplate: "{{toJson .}}", fields: ["t"] },
    { mqtt: { topic: "out", send: "list", fields: ["t"] } },
    [],
  ],
  [
    "REST, batched and cached",
    "rest",
    {
      ...{
        url: "https://h/a/{{.id}}",
        method: "put",
        timeout: 3000,
        headers: { "X-A": "b {{.id}}" },
        bodyType: "json",
      },
      ...{ sendSingle: true, batchSize: 10, lingerInterval: "1s", enableCache: true, resendPriority: -1 },
    },
    {
      http: {
        ...{ url: "https://h/a/${id}", method: "PUT", headers: { "X-A": "b ${id}" }, timeout: "3000ms", send: "each" },
        ...{ batch: { rows: 10, linger: "1000ms" }, cache: { order: "newest-first" } },
      },
    },
    [],
  ],
  ["memory", "memory", { topic: "out/hot" }, { memory: { stream: "pipe" } }, []],
  [
    "a file",
    "file",
    { path: "/tmp/{{.id}}.csv", fileType: "csv", format: "delimited", hasHeader: true, rollingCount: 10 },
    { file: { name: "${id}.csv", format: "csv", send: "list" } },
    ["hasHeader note", "rollingCount lossy", "path lossy"],
  ],
  [
    "a file that is rolled",
    "file",
    { path: "a.txt", rollingInterval: "24h", rollingSize: 1_000_000, rollingNamePattern: "prefix", sendSingle: true },
    { file: { name: "a.txt", rollEvery: "86400000ms", rollBytes: 1_000_000, send: "each" } },
    ["rollingNamePattern lossy"],
  ],
  [
    "redis",
    "redis",
    { addr: "10.0.0.1:6379", db: 2, field: "id", dataType: "list", expiration: 60, password: "p", sendSingle: true },
    {
      redis: { url: "redis://10.0.0.1:6379/2", key: "${id}", as: "list", password: "p", expire: "60s", send: "each" },
    },
    [],
  ],
  [
    "InfluxDB 2",
    "influx2",
    {
      ...{ addr: "http://h:8086", token: "k", org: "o", bucket: "b", measurement: "m", tags: { line: "{{.line}}" } },
      ...{ fields: ["t"], tsFieldName: "ts", precision: "ms" },
    },
    {
      influx: {
        ...{ url: "http://h:8086", bucket: "b", measurement: "m", org: "o", token: "k", tags: ["line"], time: "ts" },
        ...{ send: "list", fields: ["t"] },
      },
    },
    [],
  ],
  [
    "MySQL",
    "sql",
    { url: "mysql://u:p@h:3306/db?parseTime=true", table: "t1", fields: ["id"] },
    { sql: { url: "mysql://h:3306/db", table: "t1", user: "u", password: "p", send: "list", fields: ["id"] } },
    ["url lossy"],
  ],
];
for (const [name, kind, settings, gives, told] of actions) {
  test(`fromEkuiper() takes a sink: ${name}`, () => {
    const taken = action(kind, settings);
    assert.deepEqual(taken.made?.actions, [gives]);
    const of = `actions[0].${kind}.`;
    assert.deepEqual(
      taken.told.filter((one) => one.startsWith(of)),
      told.map((one) => of + one),
    );
  });
}

const refused: readonly [kind: string, settings: object, field: string][] = [
  ["kafka", {}, "kafka"],
  ["mqtt", {}, "mqtt.topic"],
  ["mqtt", { topic: "t", dataTemplate: "{{range .}}x{{end}}", sendSingle: true }, "mqtt.dataTemplate"],
  ["mqtt", { topic: "t", dataTemplate: "{{.a}}" }, "mqtt.dataTemplate"],
  ["mqtt", { topic: "t", dataField: "tele" }, "mqtt.dataField"],
  ["mqtt", { topic: "t", compression: "gzip" }, "mqtt.compression"],
  ["mqtt", { topic: "t", format: "protobuf" }, "mqtt.format"],
  ["mqtt", { topic: "t", server: "ws://h" }, "mqtt.server"],
  ["mqtt", { topic: "t", certificationPath: "a.pem" }, "mqtt.certificationPath"],
  ["mqtt", { topic: "t", resourceId: "conf" }, "mqtt.resourceId"],
  ["rest", { url: "http://h", method: "get" }, "rest.method"],
  ["rest", { url: "http://h", oAuth: {} }, "rest.oAuth"],
  ["rest", { url: "http://h", bodyType: "form" }, "rest.bodyType"],
  ["redis", { addr: "h:1", key: "k", rowkindField: "action" }, "redis.rowkindField"],
  ["redis", { addr: "h:1", key: "k", keyType: "multiple" }, "redis.keyType"],
  ["sql", { url: "sqlite://a.db", table: "t" }, "sql.url"],
  ["file", { path: "/tmp/" }, "file.path"],
];
for (const [kind, settings, field] of refused) {
  test(`fromEkuiper() refuses ${field} by its name`, () => {
    const { made, told } = action(kind, settings);
    assert.equal(made, null);
    assert.deepEqual(
      told.filter((one) => one.startsWith("actions[0]") || one.startsWith(kind)),
      [`${field === kind ? "actions[0]." : "actions[0]."}${field} refused`],
    );
  });
}

test("fromEkuiper() takes the streams that a rule names, and leaves others to be devices", () => {
  const { made, told } = read({
    sql: "SELECT demo.t FROM demo INNER JOIN tank ON demo.id = tank.id GROUP BY TUMBLINGWINDOW(ss, 1)",
  });
  assert.deepEqual(made?.sources, { demo: { mqtt: { topic: "plant/+/t" }, columns: "id bigint, t float" } });
  assert.deepEqual(told, ["SHARED note"]);
});

test("fromEkuiper() tells of every option, and takes event time", () => {
  const { made, told } = read({
    options: { isEventTime: true, lateTolerance: "2s", qos: 1, sendError: true, concurrency: 4, frobnicate: 1 },
    triggered: false,
  });
  assert.equal(made?.eventTime?.lateToleranceMs, 2000);
  assert.equal(made?.isStopped, true);
  assert.deepEqual(told, [
    "SHARED note",
    "options.qos note",
    "options.concurrency note",
    "options.sendError lossy",
    "options.frobnicate lossy",
  ]);
  assert.equal(read({ options: { cron: "1 * * * *" } }).made, null);
});

// A password in an answer would end in a log.
test("findings never show a password", () => {
  const { findings } = action("sql", { url: "mysql://u:hush@h/db?a=b", table: "t", password: "hush", foo: 1 });
  assert.ok(findings.length > 0);
  assert.ok(!JSON.stringify(findings).includes("hush"));
});

const statements: readonly [sql: string, source: object | null, told: readonly string[]][] = [
  ['CREATE STREAM a () WITH (DATASOURCE="t")', { mqtt: { topic: "t" } }, []],
  [
    'CREATE STREAM a () WITH (DATASOURCE="t", EXTRA=\'{"server":"ssl://h:8883","username":"u","password":"p"}\')',
    { mqtt: { topic: "t", broker: { url: "mqtts://h:8883", user: "u", password: "p" } } },
    [],
  ],
  [
    'CREATE STREAM a (x bigint, y STRUCT(z float)) WITH (TYPE="httppull", DATASOURCE="/v", EXTRA=\'{"url":"http://h","interval":500}\', TIMESTAMP="x")',
    { http: { url: "http://h/v", every: "500ms" }, columns: "x bigint, y STRUCT(z float)", timestamp: "x" },
    [],
  ],
  [
    'CREATE TABLE a (x bigint) WITH (TYPE="memory", DATASOURCE="m", KIND="lookup", KEY="x")',
    { memory: {}, columns: "x bigint", table: { key: "x" } },
    [],
  ],
  [
    'CREATE TABLE a () WITH (TYPE="file", DATASOURCE="/data/a.json", RETAIN_SIZE="3")',
    { file: { name: "a.json" }, table: { rows: 3 } },
    [],
  ],
  [
    'CREATE TABLE a (x bigint) WITH (TYPE="redis", DATASOURCE="3", KIND="lookup", EXTRA=\'{"addr":"h:6379","username":"u","password":"p","dataType":"list"}\')',
    {
      lookup: { redis: { url: "redis://h:6379/3", user: "u", password: "p", as: "list" }, ttl: "0s" },
      columns: "x bigint",
    },
    [],
  ],
  [
    'CREATE TABLE a () WITH (TYPE="sql", DATASOURCE="plant.batch", KIND="lookup", KEY="id", EXTRA=\'{"dburl":"postgres://u:p@h:5432/d","lookup":{"cache":true,"cacheTtl":"600s","cacheMissingKey":true}}\')',
    {
      lookup: { sql: { url: "postgres://h:5432/d", user: "u", password: "p", table: "plant.batch" }, ttl: "600000ms" },
    },
    ["KEY note"],
  ],
  [
    'CREATE TABLE a () WITH (TYPE="httppull", DATASOURCE="/v", KIND="lookup", EXTRA=\'{"url":"http://h","headers":{"A":"b"},"lookup":{"cache":true}}\')',
    { lookup: { http: { url: "http://h/v", headers: { A: "b" } }, ttl: "366d" } },
    ["EXTRA.lookup.cacheMissingKey lossy"],
  ],
  [
    'CREATE TABLE a () WITH (TYPE="redis", DATASOURCE="t", KIND="lookup", EXTRA=\'{"addr":"h:6379"}\')',
    null,
    ["EXTRA.dataType refused", "DATASOURCE refused"],
  ],
  ['CREATE TABLE a () WITH (TYPE="kafka", KIND="lookup")', null, ["TYPE refused"]],
  ['CREATE STREAM a () WITH (TYPE="neuron")', null, ["TYPE refused"]],
  [
    'CREATE STREAM a () WITH (DATASOURCE="t", FORMAT="protobuf", SCHEMAID="s")',
    null,
    ["FORMAT refused", "SCHEMAID lossy"],
  ],
  ['CREATE STREAM a () WITH (DATASOURCE="t", CONF_KEY="mine")', null, ["CONF_KEY refused"]],
  ['CREATE STREAM a () WITH (DATASOURCE="t", EXTRA="{")', null, ["EXTRA refused"]],
];
for (const [sql, source, told] of statements) {
  test(`fromStream() reads ${sql}`, () => {
    const taken = fromStream(sql, ownBrokers);
    assert.deepEqual(taken.source, source);
    assert.deepEqual(
      taken.findings.map(({ field, level }) => `${field} ${level}`),
      told,
    );
  });
}

test("fromTemplate() takes what it can say exactly, and nothing else", () => {
  assert.deepEqual(fromTemplate(" {{ toJson . }} "), { is: "whole" });
  assert.deepEqual(fromTemplate('a {{.x}} {{index . "y z"}}'), { is: "template", text: "a ${x} ${y z}" });
  for (const text of ["{{if .a}}b{{end}}", "{{.a | upper}}", "{{toJson .a}}", "cost ${x}", "{{.a}} {{", "{{- .a -}}"])
    assert.equal(fromTemplate(text).is, "refused", text);
});

test("msOf() reads numbers and the durations of Go", () => {
  assert.deepEqual([5, "5", "1h30m", "1.5s", "20ms", "", "5 s", -1, null].map(msOf), [
    5,
    5,
    5_400_000,
    1500,
    20,
    null,
    null,
    null,
    null,
  ]);
});
