import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { allRoutes, type Client, createClient, hasBody, type NamedRoute, urlOf } from "@penstock/api";
import {
  AppError,
  type DeviceUid,
  type ErrorCode,
  errors,
  type NodeIdentity,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { realFiles, silentLog } from "@penstock/runtime";
import { type TestBench, testBench } from "../services/test/test-bench.ts";
import { createHttp, type Http } from "./create-http.ts";
import { loadPages } from "./pages.ts";

let bench: TestBench;
let http: Http;
let server: Server;
let origin: string;
let token: string;
let client: Client;
const files = realFiles();

before(async () => {
  bench = await testBench();
  const pages = await loadPages(files, new URL("../../../console/static", import.meta.url).pathname);
  const { services, clock, context } = bench;
  http = await createHttp({ services, clock, log: silentLog, metrics: context.metrics, version: "0.0.0", pages });
  server = createServer(http.handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const anonymous = createClient({ baseUrl: origin, fetch });
  token = (await anonymous.session.login({ body: bench.first! })).token!;
  client = createClient({ baseUrl: origin, token, fetch });
  await makePlant("default");
});
after(async () => {
  await http.close();
  await new Promise((resolve) => server.close(resolve));
  await bench.close();
});

const spec = {
  device: {
    node: "gw-01",
    connection: "bus-a",
    properties: {
      speed: { type: "int64", access: "readWrite", minimum: 0, maximum: 100, visitor: { table: "holding", offset: 1 } },
      temperature: { type: "float64", unit: "Cel", visitor: { table: "holding", offset: 0 } },
    },
    methods: { start: { sets: { speed: 5 } } },
  },
  connection: { node: "gw-01", protocol: "modbus", settings: { host: "127.0.0.1" } },
} as const;

async function makePlant(tenant: string) {
  const at = (name: string) => ({ params: { tenant, name }, create: true });
  await client.nodes.put({ ...at("gw-01"), body: { metadata: { name: "gw-01" }, spec: {} } });
  await client.connections.put({ ...at("bus-a"), body: { metadata: { name: "bus-a" }, spec: spec.connection } });
  await client.deviceModels.put({
    ...at("model-a"),
    body: { metadata: { name: "model-a" }, spec: { properties: {} } },
  });
  await client.devices.put({ ...at("conveyor-01"), body: { metadata: { name: "conveyor-01" }, spec: spec.device } });
}
function refuses(code: ErrorCode, about?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    if (about !== undefined) assert.match(error.message, about);
    return true;
  };
}
interface Told {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
  readonly headers: Headers;
}
async function ask(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> } = {},
): Promise<Told> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...options.headers },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const text = await response.text();
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const code = isProblem ? (JSON.parse(text) as { code: string }).code : undefined;
  return { status: response.status, code, text, headers: response.headers };
}
const json = { "content-type": "application/json" };
const devicePath = "/api/v1/tenants/default/devices/conveyor-01";

test("a PUT without a precondition is 428, with a stale ETag 412, and the ETag of a GET lets it through", async () => {
  const body = JSON.stringify({ metadata: { name: "conveyor-01" }, spec: spec.device });
  assert.equal((await ask("PUT", devicePath, { headers: json, body })).status, 428);
  assert.equal((await ask("PUT", devicePath, { headers: { ...json, "if-match": '"0"' }, body })).status, 412);
  assert.equal(
    (await ask("PUT", devicePath, { headers: { ...json, "if-none-match": "*" }, body })).code,
    "resource/name-taken",
  );
  const etag = (await ask("GET", devicePath)).headers.get("etag")!;
  const done = await ask("PUT", devicePath, { headers: { ...json, "if-match": etag }, body });
  assert.deepEqual([done.status, done.headers.get("etag")], [200, etag]);
  assert.equal((await ask("DELETE", devicePath)).status, 428);
});

test("bad requests are refused by name, with the status of their code", async () => {
  const create = { ...json, "if-none-match": "*" };
  const other = "/api/v1/tenants/default/devices/other";
  const text = (document: unknown) => JSON.stringify(document);
  const cases: [
    string,
    string,
    { headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> },
    ErrorCode,
    RegExp,
  ][] = [
    ["GET", "/api/v1/nothing", {}, "request/not-found", /\/api\/v1\/nothing/],
    ["GET", "/api/v1/tenants/default/devices?limt=1", {}, "input/invalid", /limt: \\"1\\": unknown field/],
    ["GET", "/api/v1/tenants/default/devices?limit=0", {}, "input/invalid", /limit: 0/],
    ["GET", "/api/v1/tenants/default/devices?limit=x", {}, "input/invalid", /limit: \\"x\\"/],
    ["GET", "/api/v1/tenants/default/devices?cursor=x", {}, "input/invalid", /cursor/],
    ["GET", "/api/v1/tenants/Default/devices", {}, "input/invalid", /tenant/],
    ["GET", `${devicePath}/properties/temperature/series?from=yesterday`, {}, "input/invalid", /from/],
    ["GET", `${devicePath}/properties/temperature/series?from=-1h&to=-2h`, {}, "input/invalid", /must be before to/],
    ["GET", `${devicePath}/properties/nope/series`, {}, "twin/unknown-property", /nope/],
    ["PUT", other, { headers: create, body: "{" }, "input/invalid", /must be JSON/],
    ["PUT", other, { headers: create, body: '{"__proto__": {}}' }, "input/invalid", /must be JSON/],
    ["PUT", other, { headers: create, body: new Uint8Array([0x22, 0xff, 0x22]) }, "input/invalid", /UTF-8/],
    [
      "PUT",
      other,
      { headers: { ...create, "content-type": "text/yaml" }, body: "a: 1" },
      "request/unsupported-media",
      /JSON/,
    ],
    [
      "PUT",
      other,
      { headers: { ...create, "content-type": "application/json; charset=latin1" }, body: "{}" },
      "request/unsupported-media",
      /latin1/,
    ],
    ["PUT", other, { headers: create, body: "x".repeat(9 * 1024 * 1024) }, "input/too-large", /limit/],
    [
      "PUT",
      other,
      { headers: create, body: text({ metadata: { name: "else" }, spec: spec.device }) },
      "input/invalid",
      /metadata\.name/,
    ],
    [
      "PUT",
      other,
      { headers: create, body: text({ kind: "Node", metadata: { name: "other" }, spec: spec.device }) },
      "input/invalid",
      /kind/,
    ],
    [
      "PUT",
      other,
      { headers: create, body: text({ metadata: { name: "other" }, spec: spec.device, sepc: 1 }) },
      "input/invalid",
      /sepc: 1: unknown field/,
    ],
    [
      "PUT",
      `${devicePath}/properties/speed/desired`,
      { headers: json, body: text({ value: 1, tll: "5s" }) },
      "input/invalid",
      /tll/,
    ],
    [
      "PUT",
      `${devicePath}/properties/speed/desired?wait=90s`,
      { headers: json, body: text({ value: 1 }) },
      "input/invalid",
      /wait/,
    ],
    [
      "PUT",
      `${devicePath}/properties/speed/desired`,
      { headers: json, body: text({ value: "101" }) },
      "twin/out-of-range",
      /101/,
    ],
    [
      "PUT",
      `${devicePath}/properties/temperature/desired`,
      { headers: json, body: text({ value: 1 }) },
      "twin/read-only",
      /access is read/,
    ],
    [
      "POST",
      "/api/v1/join",
      { headers: json, body: text({ secret: "a".repeat(43), publicKey: "b".repeat(60) }) },
      "input/invalid",
      /publicKey/,
    ],
  ];
  for (const [method, path, options, code, about] of cases) {
    const told = await ask(method, path, options);
    assert.equal(told.code, code, `${method} ${path}: ${told.text}`);
    assert.equal(told.status, errors[code].http);
    assert.match(told.text, about);
  }
  assert.equal((await ask("GET", other)).code, "resource/not-found");
});

test("no route with a permission answers without a login, nor to a cookie's token as Bearer", async () => {
  for (const named of allRoutes()) {
    if (named.route.permission === null) continue;
    const told = await ask(named.route.method, filled(named, "default"), { headers: { authorization: "" } });
    assert.equal(told.status, 401, `${named.route.method} ${named.route.path}`);
  }
  const told = await ask("GET", "/api/v1/session", { headers: { authorization: `Bearer ${"a".repeat(43)}` } });
  assert.equal(told.code, "request/unauthenticated");
});

/** A request to a route with names that exist in the default tenant. */
function filled({ route }: NamedRoute, tenant: string): string {
  const kind = /tenants\/\{tenant\}\/(\w+)\/\{name\}/.exec(route.path)?.[1] ?? "";
  const names: Record<string, string> = {
    nodes: "gw-01",
    connections: "bus-a",
    devicemodels: "model-a",
    devices: "conveyor-01",
  };
  const params = {
    tenant,
    name: names[kind] ?? "default",
    device: "conveyor-01",
    property: "speed",
    method: "start",
    id: joinTokenId,
    action: "pause",
    version: "1",
    change: "1",
  };
  return urlOf("", route, { params });
}
let joinTokenId = "0".repeat(32);

test("nobody without a login has a body read or parsed, and an open route takes a small one only", async () => {
  const large = "{".repeat(65_536);
  const anonymous = async (method: string, path: string, body: string) => {
    const response = await fetch(`${origin}${path}`, { method, headers: json, body });
    return ((await response.json()) as { code: string }).code;
  };
  // Were it parsed first, the answer would be that it is no JSON.
  assert.equal(await anonymous("PUT", devicePath, large), "request/unauthenticated");
  assert.equal(await anonymous("POST", "/api/v1/nothing", large), "request/not-found");
  for (const path of ["/api/v1/login", "/api/v1/join"])
    assert.equal(await anonymous("POST", path, large), "input/too-large", path);
});

test("nothing of one tenant is reachable under another's address: the same answer as for what does not exist", async () => {
  await client.tenants.put({
    params: { name: "other" },
    create: true,
    body: { metadata: { name: "other" }, spec: {} },
  });
  joinTokenId = (await client.joinTokens.create({ params: { tenant: "default" }, body: { node: "gw-01" } })).id;
  let compared = 0;
  for (const named of allRoutes()) {
    const { route } = named;
    if (!route.path.includes("{tenant}") || !/\{(name|device|id|change)\}/.test(route.path)) continue;
    const document = {
      metadata: { name: route.path.includes("{name}") ? filled(named, "x").split("/").at(-1) : "x" },
      spec: {},
    };
    const example = route.method === "POST" ? route.examples[0]?.body : undefined;
    const body =
      named.name === "setDesired"
        ? { value: "1" }
        : named.name === "put"
          ? { ...document, spec: bodySpec(named) }
          : (example ?? {});
    const options = {
      headers: {
        ...(hasBody(route) ? json : {}),
        ...(route.safety === "match" || route.safety === "precondition" ? { "if-match": "*" } : {}),
      },
      ...(hasBody(route) ? { body: JSON.stringify(body) } : {}),
    };
    const here = await ask(route.method, filled(named, "other"), options);
    assert.equal(here.status, 404, `${route.method} ${route.path}: ${here.text}`);
    await makeAbsent(named, options, here);
    compared += 1;
  }
  assert.ok(compared >= 20, `${compared} routes compared`);
  const isList = (name: string) => name === "list" || name === "deleted";
  const lists = allRoutes().filter(({ route, name }) => route.path.includes("{tenant}") && isList(name));
  for (const named of lists) {
    const told = await ask("GET", filled(named, "other"));
    assert.deepEqual(JSON.parse(told.text), { items: [], cursor: null }, named.route.path);
  }
  assert.equal((await ask("GET", devicePath)).status, 200);
  assert.equal((await ask("GET", `${devicePath}/versions/1`)).status, 200);
  assert.equal((await ask("GET", "/api/v1/tenants/default/changes/1")).status, 200);
});
function bodySpec({ resource }: NamedRoute): unknown {
  return resource === "devices"
    ? spec.device
    : resource === "connections"
      ? spec.connection
      : resource === "nodes"
        ? {}
        : { properties: {} };
}
/** The same request for a tenant that never was: only the name of what is missing may differ. */
async function makeAbsent(named: NamedRoute, options: Parameters<typeof ask>[2], here: Told): Promise<void> {
  const absent = await ask(named.route.method, filled(named, "never-was"), options);
  assert.equal(absent.status, 404, named.route.path);
  const shape = (told: Told) => ({ ...(JSON.parse(told.text) as object), detail: "" });
  assert.deepEqual(shape(absent), shape(here));
}

test("a dry run answers what would be stored, refuses what would be refused, and stores nothing", async () => {
  const before = await ask("GET", devicePath);
  const body = JSON.stringify({ spec: { properties: { speed: { unit: "m/s" } } } });
  const patch = { ...json, "content-type": "application/merge-patch+json", "if-match": "*" };
  const dry = await ask("PATCH", `${devicePath}?dryRun=true`, { headers: patch, body });
  assert.equal(dry.status, 200, dry.text);
  assert.equal((JSON.parse(dry.text) as Device).spec.properties.speed.unit, "m/s");
  const created = await ask("PUT", "/api/v1/tenants/default/devices/dry?dryRun=true", {
    headers: { ...json, "if-none-match": "*" },
    body: JSON.stringify({ metadata: { name: "dry" }, spec: spec.device }),
  });
  assert.equal(created.status, 201, created.text);
  assert.equal((await ask("GET", "/api/v1/tenants/default/devices/dry")).status, 404);
  const bad = JSON.stringify({ spec: { properties: { speed: { visitor: { table: "nope" } } } } });
  assert.equal((await ask("PATCH", `${devicePath}?dryRun=true`, { headers: patch, body: bad })).code, "input/invalid");
  assert.equal((await ask("GET", devicePath)).text, before.text);
  assert.equal((await ask("GET", `${devicePath}/versions`)).text.match(/"version":/g)?.length, 1);
});
interface Device {
  readonly spec: { readonly properties: { readonly speed: { readonly unit?: string } } };
}

test("PUT desired with a wait answers 200 when confirmed, 202 when the wait runs out, the reason when it failed", async () => {
  const params = { tenant: "default", device: "conveyor-01", property: "speed" };
  const { services } = bench;
  const uid = (await client.devices.get({ params: { tenant: "default", name: "conveyor-01" } })).metadata
    .uid as DeviceUid;
  const identity: NodeIdentity = {
    tenant: (await client.tenants.get({ params: { name: "default" } })).metadata.uid as TenantUid,
    node: (await client.nodes.get({ params: { tenant: "default", name: "gw-01" } })).metadata.uid as NodeUid,
  };
  const answer = async (state: "confirmed" | "failed", reason: ErrorCode | null) => {
    for (;;) {
      const [pending] = await services.control.pendingDesired(identity);
      if (pending === undefined) continue;
      const { version, value, type } = pending;
      const time = bench.clock.now();
      const report = { device: uid, property: "speed", version, state, reason, message: reason, value, type, time };
      return services.control.takeReports(identity, [report]);
    }
  };
  const set = (value: unknown, wait: string) => client.twins.setDesired({ params, query: { wait }, body: { value } });
  const [done] = await Promise.all([set("42", "10s"), answer("confirmed", null)]);
  assert.deepEqual([done.state, done.value, done.readBack], ["confirmed", "42", "42"]);
  await Promise.all([
    assert.rejects(set("43", "10s"), refuses("mapper/value-refused")),
    answer("failed", "mapper/value-refused"),
  ]);
  const open = await ask("PUT", `${devicePath}/properties/speed/desired`, { headers: json, body: '{"value":"44"}' });
  assert.equal(open.status, 202);
  assert.equal((JSON.parse(open.text) as { reason: string }).reason, "twin/pending");
  const twin = await client.twins.get({ params: { tenant: "default", device: "conveyor-01" } });
  assert.equal(twin.properties.find((one) => one.property === "speed")?.desired?.value, "44");
});

test("live streams over a real socket, ends when the client goes, and ends with the login", async () => {
  const stop = new AbortController();
  const stream = client.live.stream({ params: { tenant: "default" }, signal: stop.signal });
  const first = stream.next();
  while (bench.services.live.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.twins.setDesired({
    params: { tenant: "default", device: "conveyor-01", property: "speed" },
    body: { value: "5" },
  });
  const event = (await first).value!;
  assert.equal(event.event, "twin");
  stop.abort();
  await assert.rejects(stream.next());
  while (bench.services.live.streams > 0) await new Promise((resolve) => setImmediate(resolve));

  const second = await createClient({ baseUrl: origin, fetch }).session.login({ body: bench.first! });
  const guest = createClient({ baseUrl: origin, fetch, token: second.token! });
  const ended = guest.live.stream({ params: { tenant: "default" } }).next();
  while (bench.services.live.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  await guest.session.logout({});
  bench.clock.move(15_000);
  assert.equal((await ended).done, true);
});

test("a browser gets a cookie that scripts cannot read, and writes only from its own page", async () => {
  const body = JSON.stringify({ ...bench.first!, cookie: true });
  const foreign = await ask("POST", "/api/v1/login", { headers: { ...json, origin: "https://evil.example" }, body });
  assert.equal(foreign.code, "request/wrong-origin");
  const login = await ask("POST", "/api/v1/login", { headers: { ...json, origin }, body });
  assert.equal((JSON.parse(login.text) as { token: unknown }).token, null);
  const set = login.headers.get("set-cookie")!;
  assert.match(set, /HttpOnly/);
  assert.match(set, /SameSite=Strict/);
  const cookie = set.split(";")[0]!;
  const as = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { cookie, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return response.status;
  };
  assert.equal(await as("GET", "/api/v1/session", {}), 200);
  const desired = `${devicePath}/properties/speed/desired`;
  assert.equal(await as("PUT", desired, { ...json, origin: "https://evil.example" }, '{"value":"6"}'), 403);
  assert.equal(await as("PUT", desired, json, '{"value":"6"}'), 403);
  assert.equal(await as("PUT", desired, { ...json, origin }, '{"value":"6"}'), 202);
  const stolen = await ask("GET", "/api/v1/session", { headers: { authorization: `Bearer ${cookie.split("=")[1]}` } });
  assert.equal(stolen.status, 401);
  assert.equal(await as("POST", "/api/v1/logout", { origin }), 204);
  assert.equal(await as("GET", "/api/v1/session", {}), 401);
});

test("the page is served under a policy that allows nothing from elsewhere", async () => {
  const page = await ask("GET", "/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.doesNotMatch(page.text, /<script>|style=|https?:\/\//);
  for (const [, path] of page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    assert.equal((await ask("GET", path!)).status, 200, path);
  }
});

test("health, readiness, metrics and the description answer", async () => {
  assert.equal((await ask("GET", "/healthz")).status, 200);
  assert.equal((await ask("GET", "/readyz")).status, 200);
  assert.match((await ask("GET", "/metrics")).text, /penstock_http_requests_total/);
  const described = JSON.parse((await ask("GET", "/openapi.json")).text) as { openapi: string };
  assert.equal(described.openapi, "3.1.0");
});

test("close() answers who waits, before anybody's connection is ended", async () => {
  const { services, clock, context } = bench;
  const stopping = await createHttp({
    services,
    clock,
    log: silentLog,
    metrics: context.metrics,
    version: "0.0.0",
    pages: new Map(),
  });
  const own = createServer(stopping.handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => own.once("listening", resolve));
  const base = `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
  const headers = { ...json, authorization: `Bearer ${token}` };
  const path = `${base}${devicePath}/properties/speed/desired`;
  const waiting = fetch(`${path}?wait=30s`, { method: "PUT", headers, body: '{"value":"7"}' });
  const isAccepted = async () => (await (await fetch(path, { headers })).text()).includes('"value":"7"');
  while (!(await isAccepted())) await new Promise((resolve) => setImmediate(resolve));
  let isClosed = false;
  const closed = stopping.close().then(() => {
    isClosed = true;
  });
  const answer = await waiting;
  assert.equal(answer.status, 202);
  assert.equal(((await answer.json()) as { state: string }).state, "pending");
  await closed;
  assert.ok(isClosed);
  own.closeAllConnections();
  await new Promise((resolve) => own.close(resolve));
});
