import { type ErrorCode, limits } from "@penstock/model";
import { encodeFrame, encodeMessage } from "@penstock/wire";
import type { ForeignGateway } from "./foreign-gateway.ts";
import { foreignHello, newKeys } from "./foreign-gateway.ts";

interface Expected {
  /** what is sent, for people */
  readonly sent: string;
  /** of the error table; null where the channel has none */
  readonly code: ErrorCode | null;
  /** what the message names: field, value, rule */
  readonly names: readonly (RegExp | string)[];
}
export interface CommandRefusal extends Expected {
  readonly args: readonly string[];
  readonly input?: string;
  readonly exit: number;
}
export interface HttpRefusal extends Expected {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  readonly path: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** default: the administrator's */
  readonly authorization?: string;
}
export interface LinkRefusal extends Expected {
  readonly speak: (gateway: ForeignGateway) => void;
}

const device = { node: "gw-01", connection: "line", address: { unitId: 1 } };
const level = { type: "int16", visitor: { table: "holding", offset: 12 } };
const document = (spec: object, more: object = {}) =>
  JSON.stringify({ apiVersion: "penstock.dev/v1", kind: "Device", metadata: { name: "other" }, spec, ...more });
const withLevel = (change: object, more: object = {}) =>
  document({ ...device, properties: { level: { ...level, ...change } }, ...more });
const apply = ["apply", "-f", "-"] as const;
const urlLogin = "press:hunter2@10.0.0.4";
/** what was sent as a password is not said again */
const unsaid = /^(?!.*hunter2)/s;
const ruleWith = (change: object) =>
  JSON.stringify({
    ...{ apiVersion: "penstock.dev/v1", kind: "Rule", metadata: { name: "other" } },
    spec: {
      ...{ nodes: ["gw-01"], sql: "SELECT * FROM s", sources: { s: { memory: {} } }, actions: [{ log: {} }] },
      ...change,
    },
  });

/** What people type, and the files they apply. Exit codes as docs/reference/exit-codes.md has them. */
export const commandRefusals: readonly CommandRefusal[] = [
  {
    sent: "a command that does not exist",
    args: ["aply", "-f", "x.yaml"],
    exit: 2,
    code: null,
    names: ["unknown command 'aply'", "apply"],
  },
  {
    sent: "an option with a value that is none",
    args: ["edge", "--outbox-megabytes", "many"],
    exit: 2,
    code: "input/invalid",
    names: ["--outbox-megabytes", "many", "must be a whole number from 1 to 1000000"],
  },
  {
    sent: "YAML that is none",
    args: apply,
    input: "kind: Device\n  metadata: {name: x\n",
    exit: 2,
    code: "input/not-yaml",
    names: [/line 2|column/],
  },
  {
    sent: "a document of an unknown kind",
    args: apply,
    input: "apiVersion: penstock.dev/v1\nkind: Gadget\nmetadata: {name: x}\n",
    exit: 2,
    code: "input/unknown-kind",
    names: ["Gadget", /must be one of .*Device/],
  },
  {
    sent: "a document larger than its limit",
    args: apply,
    input: `kind: Device\n# ${"x".repeat(limits.resourceBytes)}\n`,
    exit: 2,
    code: "input/too-large",
    names: [String(limits.resourceBytes)],
  },
  {
    sent: "a device with a field that no device has",
    args: apply,
    input: `kind: Device\nmetadata: {name: other}\nspec:\n  node: gw-01\n  connection: line\n  adress: {unitId: 1}\n`,
    exit: 2,
    code: "input/invalid",
    names: ["spec.adress", "unitId", "unknown field"],
  },
  {
    sent: "a device at a gateway that does not exist",
    args: apply,
    input: document({ ...device, node: "gw-99" }),
    exit: 2,
    code: "resource/missing-reference",
    names: ["spec.node", "gw-99", "there is no Node of that name"],
  },
  {
    sent: "a rule whose source has a login in its URL",
    args: apply,
    input: ruleWith({ sources: { s: { mqtt: { topic: "x", broker: { url: `mqtt://${urlLogin}` } } } } }),
    exit: 2,
    code: "input/invalid",
    names: ["spec.sources.s.mqtt.broker.url", "mqtt://********@10.0.0.4", "must have no user and password", unsaid],
  },
  {
    sent: "a rule that asks a server with a login in its URL",
    args: apply,
    input: ruleWith({ sources: { s: { http: { url: `http://${urlLogin}/v`, every: "1s" } } } }),
    exit: 2,
    code: "input/invalid",
    names: ["spec.sources.s.http.url", "http://********@10.0.0.4/v", "must have no user and password", unsaid],
  },
  {
    sent: "a rule with a login in a URL that is none of its action's",
    args: apply,
    input: ruleWith({ actions: [{ redis: { url: `http://${urlLogin}`, key: "k" } }] }),
    exit: 2,
    code: "input/invalid",
    names: ["spec.actions.0.redis.url", "http://********@10.0.0.4", "must match ^rediss?://", unsaid],
  },
  {
    sent: "a value beyond the property's range",
    args: ["set", "press", "speed", "121"],
    exit: 2,
    code: "twin/out-of-range",
    names: ["press.speed", "121", "must be at most 120"],
  },
  {
    sent: "a text for a number",
    args: ["set", "press", "speed", "fast"],
    exit: 2,
    code: "twin/wrong-type",
    names: ["press.speed", "fast", "must be a whole number"],
  },
  {
    sent: "a value for a property that is only read",
    args: ["set", "press", "temperature", "20"],
    exit: 2,
    code: "twin/read-only",
    names: ["press.temperature", "20", "access is read"],
  },
  {
    sent: "a value for a property that is not there",
    args: ["set", "press", "speeed", "1"],
    exit: 3,
    code: "twin/unknown-property",
    names: ["press", "speeed", /it has .*speed/],
  },
  {
    sent: "a time to live that is none",
    args: ["set", "press", "speed", "1", "--ttl", "soon"],
    exit: 2,
    code: "input/invalid",
    names: ["--ttl", "soon", "must be a duration"],
  },
  {
    sent: "a tenant that is not there",
    args: ["get", "devices", "--tenant", "nobody"],
    exit: 3,
    code: "resource/not-found",
    names: ["Tenant", "nobody"],
  },
  {
    sent: "a join token cut short",
    args: ["edge", "join", "--data-dir", "nowhere", "--cloud", "https://127.0.0.1:1", "--token", "abc"],
    exit: 4,
    code: "join/token-invalid",
    names: ["join token", /<secret>\.<64 hex digits>/],
  },
];

const json = { "content-type": "application/json" };
const create = { ...json, "if-none-match": "*" };
const devices = "/api/v1/tenants/default/devices";
const desired = `${devices}/press/properties/speed/desired`;
const series = `${devices}/press/properties/speed/series`;
const put = { method: "PUT", path: `${devices}/other`, headers: create } as const;
const invalid = { code: "input/invalid", status: 400 } as const;

/** What programs and browsers send. The status follows from the code. */
export const httpRefusals: readonly HttpRefusal[] = [
  {
    ...{ ...put, ...invalid, sent: "a field of the wrong type" },
    body: document({ ...device, node: 7 }),
    names: ["spec.node", "7", "must be of type string"],
  },
  {
    ...{ ...put, ...invalid, sent: "a cycle shorter than the shortest" },
    body: withLevel({ collect: { every: "1ms" } }),
    names: ["spec.properties.level.collect.every", "1ms", "must be 10ms..1d"],
  },
  {
    ...{ ...put, ...invalid, sent: "a duration that is none" },
    body: withLevel({ collect: { every: "often" } }),
    names: ["spec.properties.level.collect.every", "often", "must match"],
  },
  {
    ...{ ...put, ...invalid, sent: "a minimum above the maximum" },
    body: withLevel({ minimum: 5, maximum: 4 }),
    names: ["spec.properties.level.minimum", "5", "must be at most maximum, 4"],
  },
  {
    ...{ ...put, ...invalid, sent: "a bound that the type cannot hold" },
    body: withLevel({ maximum: 40_000 }),
    names: ["spec.properties.level.maximum", "40000", "the range of int16"],
  },
  {
    ...{ ...put, ...invalid, sent: "a register table that Modbus does not have" },
    body: withLevel({ visitor: { table: "drawer", offset: 0 } }),
    names: ["spec.properties.level.visitor.table", "drawer", /one of .*holding/],
  },
  {
    ...{ ...put, ...invalid, sent: "a unit id beyond the protocol's" },
    body: document({ ...device, address: { unitId: 256 } }),
    names: ["spec.address.unitId", "256", /255/],
  },
  {
    ...{ ...put, ...invalid, sent: "a protocol without a mapper" },
    body: document({ ...device, connection: { protocol: "telepathy" } }),
    names: ["spec.connection.protocol", "telepathy", "must be the name of a mapper"],
  },
  {
    ...{ ...put, ...invalid, sent: "a document of another name than the address" },
    body: document(device, { metadata: { name: "another" } }),
    names: ["metadata.name", "another", /must be \\?"other/],
  },
  {
    ...{ ...put, ...invalid, sent: "a name that is no DNS label" },
    path: `${devices}/Other`,
    body: document(device, { metadata: { name: "Other" } }),
    names: ["name", "Other", "must match"],
  },
  {
    ...{ ...put, sent: "a name that is taken", code: "resource/name-taken", status: 409 },
    path: `${devices}/press`,
    body: document(device, { metadata: { name: "press" } }),
    names: ["Device", "press"],
  },
  {
    ...{ ...put, ...invalid, sent: "a body that is not JSON" },
    body: "node: gw-01",
    names: ["body", "must be JSON"],
  },
  {
    ...{ ...put, sent: "a body of another media type", code: "request/unsupported-media", status: 415 },
    headers: { ...create, "content-type": "text/yaml" },
    body: "node: gw-01",
    names: ["application/json"],
  },
  {
    ...{ ...put, sent: "a body larger than its limit", code: "input/too-large", status: 413 },
    body: `"${"x".repeat(limits.requestBytes)}"`,
    names: ["larger than its limit"],
  },
  {
    ...{ ...put, sent: "a change without If-Match", code: "request/precondition-required", status: 428 },
    path: `${devices}/press`,
    headers: json,
    body: document(device, { metadata: { name: "press" } }),
    names: ["If-Match", "If-None-Match: *"],
  },
  {
    ...{ ...put, sent: "a change of what has changed since", code: "request/precondition-failed", status: 412 },
    path: `${devices}/press`,
    headers: { ...json, "if-match": '"0"' },
    body: document(device, { metadata: { name: "press" } }),
    names: ["press", /changed|0/],
  },
  {
    ...{ method: "DELETE", path: "/api/v1/tenants/default/connections/line", headers: { "if-match": "*" } },
    ...{ sent: "the end of a connection in use", code: "resource/in-use", status: 409 },
    names: ["line", "press"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${devices}?cursor=bogus`, sent: "a cursor that is none" },
    names: ["cursor", "bogus"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${devices}?labels=a%3D%3Db`, sent: "a label selector that is none" },
    names: ["labels", "a==b", "must be label=value"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${devices}?limt=5`, sent: "a query field that is unknown" },
    names: ["limt", "5", "unknown field"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${series}?from=yesterday`, sent: "a series from no time" },
    names: ["from", "yesterday"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${series}?from=-1h&to=-2h`, sent: "a series that ends before it begins" },
    names: ["from", "must be before to"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${series}?points=10001`, sent: "a series of too many points" },
    names: ["points", "10001", "10000"],
  },
  {
    ...{ ...invalid, method: "GET", path: `${series}?aggregate=median`, sent: "an aggregate that is unknown" },
    names: ["aggregate", "median", /one of .*minmax/],
  },
  {
    ...{ method: "PUT", path: desired, headers: json, sent: "a desired value out of range" },
    ...{ code: "twin/out-of-range", status: 422, body: '{"value":-1}' },
    names: ["value", "-1", "must be at least 0"],
  },
  {
    ...{ method: "PUT", path: desired.replace("speed", "total"), headers: json },
    ...{ sent: "a number where digits would be lost", code: "twin/wrong-type", status: 422 },
    body: '{"value":9007199254740993}',
    names: ["value", "decimal text beyond 2^53"],
  },
  {
    ...{ ...invalid, method: "PUT", path: `${desired}?wait=2h`, headers: json, sent: "a wait that is too long" },
    body: '{"value":1}',
    names: ["wait", "2h", "must be 0ms..1m"],
  },
  {
    ...{ ...invalid, method: "PUT", path: desired, headers: json, sent: "a time to live beyond a day" },
    body: '{"value":1,"ttl":"25h"}',
    names: ["ttl", "25h", "must be 100ms..1d"],
  },
  {
    ...{ method: "GET", path: "/api/v1/tenants/rival/devices", sent: "another tenant's devices" },
    ...{ code: "resource/not-found", status: 404 },
    names: ["Tenant", "rival"],
  },
  {
    ...{
      method: "GET",
      path: devices,
      authorization: "Bearer aaaaaaaaaaaaaaaaaaaaaaaa",
      sent: "a token that never was",
    },
    ...{ code: "request/unauthenticated", status: 401 },
    names: [/login has ended or never was/],
  },
  {
    ...{ method: "POST", path: "/api/v1/login", headers: json, sent: "a wrong password" },
    ...{ code: "request/unauthenticated", status: 401, body: '{"user":"admin","password":"guess"}' },
    names: ["user or password is wrong"],
  },
  {
    ...{ method: "POST", path: "/api/v1/login", headers: { ...json, origin: "https://evil.example" } },
    ...{ sent: "a browser's login from another origin", code: "request/wrong-origin", status: 403 },
    body: '{"user":"admin","password":"guess","cookie":true}',
    names: ["https://evil.example"],
  },
  {
    ...{ method: "POST", path: "/api/v1/join", headers: json, sent: "a join token that never was" },
    ...{ code: "join/token-invalid", status: 401 },
    body: JSON.stringify({ secret: "s".repeat(40), publicKey: newKeys().publicPem }),
    names: [/token/],
  },
  {
    ...{ ...invalid, method: "POST", path: "/api/v1/tenants/default/jointokens", headers: json },
    ...{ sent: "a join token for eight days", body: '{"node":"gw-01","ttl":"8d"}' },
    names: ["ttl", "8d", "must be 1s..7d"],
  },
];

const { boot: _, ...helloWithoutBoot } = foreignHello;
const readings = { t: "readings", layouts: [], entries: [[1, 1, 9, new Uint8Array(3)]] };

/** What a gateway that is not ours says on the link. The code is what the cloud logs; the gateway is told the reason. */
export const linkRefusals: readonly LinkRefusal[] = [
  {
    sent: "a hello with link version 2 only",
    speak: (gateway) => gateway.say({ t: "hello", versions: { min: 2, max: 2 } }),
    code: "link/no-common-version",
    names: ["2..2", "1..1"],
  },
  {
    sent: "a hello without its boot id",
    speak: (gateway) => gateway.say(helloWithoutBoot),
    code: "link/bad-frame",
    names: ["hello.boot", "32 hex digits"],
  },
  {
    sent: "a message before the hello",
    speak: (gateway) => gateway.say({ t: "ping", n: 1 }),
    code: "link/bad-frame",
    names: ["hello as the first message"],
  },
  {
    sent: "bytes that are no frame",
    speak: (gateway) => gateway.raw(Uint8Array.of(0xc1, 0xff, 0x00, 0x17)),
    code: "link/bad-frame",
    names: ["Cannot decode frame", "not MessagePack"],
  },
  {
    sent: "readings of a layout that was never sent",
    speak: (gateway) => {
      gateway.say(foreignHello);
      gateway.raw(encodeFrame({ lane: 1, n: 0, more: false, part: encodeMessage(readings) }));
    },
    code: "link/bad-frame",
    names: [/layout 9 was never sent|before its welcome/],
  },
];
