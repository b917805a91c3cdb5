import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { limits, type Problem } from "@penstock/model";
import { metricsRegistry, RequestRate, realFiles, silentLog, systemClock, systemRandom } from "@penstock/runtime";
import fc from "fast-check";
import { endedAs, FakeSite } from "./fake-site.ts";
import { type LocalApi, openLocalApi } from "./local-api.ts";
import { localRoutes } from "./routes.ts";

const folder = mkdtempSync(join(tmpdir(), "penstock-local-api-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let open: LocalApi | null = null;
afterEach(async () => {
  await open?.close();
  open = null;
});

async function start(site = new FakeSite()) {
  const metrics = metricsRegistry();
  open = await openLocalApi({
    ...{ port: 0, files: realFiles(), folder: join(folder, "local-api"), random: systemRandom, clock: systemClock() },
    ...{ log: silentLog, metrics, pid: 4711, site },
  });
  const { address } = open;
  const token = readFileSync(join(folder, "local-api/token"), "utf8").trim();
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const json = (await response.json()) as Record<string, unknown>;
    return { status: response.status, json, problem: json as unknown as Problem };
  };
  return { address, token, ask, site, metrics };
}

/** fetch sets Host itself. @returns status and problem code */
function raw(address: string, headers: Record<string, string>): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const asking = httpRequest(`${address}/api/v1/status`, { headers }, async (response) => {
      let text = "";
      for await (const part of response) text += part;
      resolve([response.statusCode!, (JSON.parse(text) as { code?: string }).code ?? "ok"]);
    });
    asking.on("error", reject).end();
  });
}

test("the local API answers its own host names with its token, and nobody else", async () => {
  const { address, token } = await start();
  const port = new URL(address).port;
  const authorization = `Bearer ${token}`;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`])
    assert.deepEqual(await raw(address, { host, authorization }), [200, "ok"], host);
  for (const host of [`evil.example:${port}`, "127.0.0.1", `127.0.0.1.evil.example:${port}`, `127.0.0.1:${port}1`])
    assert.deepEqual(await raw(address, { host, authorization }), [403, "request/wrong-origin"], host);
  assert.deepEqual(await raw(address, { authorization, origin: address }), [403, "request/wrong-origin"]);
  for (const wrong of ["", "Bearer", `Bearer ${token}0`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token])
    assert.deepEqual(await raw(address, { authorization: wrong }), [401, "request/unauthenticated"], wrong);
});

test("the token is made once, for its owner alone; the address goes with the agent", async () => {
  const first = await start();
  const path = (name: string) => join(folder, "local-api", name);
  assert.equal(statSync(path("token")).mode & 0o777, 0o600);
  assert.match(first.token, /^[0-9a-f]{64}$/);
  assert.equal(readFileSync(path("address"), "utf8"), `${first.address}\n4711\n`);
  await open?.close();
  assert.throws(() => statSync(path("address")));
  assert.equal((await start()).token, first.token);
});

test("a port that another program has is told by number, with what to do", async () => {
  const { address, site, metrics } = await start();
  const port = Number(new URL(address).port);
  const second = openLocalApi({
    ...{ port, files: realFiles(), folder: join(folder, "second"), random: systemRandom, clock: systemClock() },
    ...{ log: silentLog, metrics, pid: 4712, site },
  });
  await assert.rejects(second, {
    code: "port/in-use",
    message: new RegExp(`127\\.0\\.0\\.1:${port}.*--local-api-port`),
  });
});

test("what breaks a rule is told with field, value and rule, and reaches nothing", async () => {
  const { ask, site } = await start();
  const put = "/api/v1/devices/oven/properties/speed/local";
  const tries: [string, string, unknown, number, string, RegExp][] = [
    ["PUT", put, { value: 101 }, 422, "twin/out-of-range", /value 101 must be at most 100/],
    ["PUT", put, { value: "fast" }, 422, "twin/wrong-type", /value "fast" must be a number/],
    ["PUT", put, {}, 400, "input/invalid", /value \(missing\) is required/],
    ["PUT", put, { value: 1, force: true }, 400, "input/invalid", /force true is unknown in this body: value, holder/],
    ["PUT", put, { value: 1, holder: "" }, 400, "input/invalid", /holder "" must be 1\.\.64 characters/],
    ["PUT", put, { value: 1, ttl: "soon" }, 400, "input/invalid", /ttl "soon" must be 100ms\.\.1d/],
    ["PUT", `${put}?wait=2h`, { value: 1 }, 400, "input/invalid", /wait "2h" must be 0ms\.\.1m/],
    ["PUT", `${put}?quick=1`, { value: 1 }, 400, "input/invalid", /quick "1" is unknown in this query: wait/],
    ["PUT", put, "{", 400, "input/invalid", /body \(unreadable\) must be JSON/],
    ["PUT", put, [1], 400, "input/invalid", /body \[1\] must be an object/],
    ["PUT", put.replace("speed", "limit"), { value: 1 }, 422, "twin/read-only", /limit 1 its localWrites is refuse/],
    ["PUT", put.replace("speed", "power"), { value: 1, hold: "1h" }, 400, "input/invalid", /hold "1h" cannot be/],
    ["PUT", put.replace("speed", "sped"), { value: 1 }, 404, "twin/unknown-property", /it has speed, power, limit/],
    [
      "PUT",
      put.replace("oven", "over"),
      { value: 1 },
      404,
      "resource/not-found",
      /No device "over" at gateway "gw-01"/,
    ],
    ["POST", "/api/v1/devices/oven/methods/boil", {}, 404, "twin/unknown-method", /it has bake/],
    [
      ...(["POST", "/api/v1/devices/oven/methods/bake", { arguments: { minutes: 91 } }, 400, "input/invalid"] as const),
      /arguments\.minutes 91 must be at most 90/,
    ],
    ["POST", "/api/v1/devices/oven/methods/bake", { arguments: [] }, 400, "input/invalid", /must be an object/],
    ["DELETE", put, undefined, 404, "request/not-found", /No route DELETE/],
    ["GET", "/api/v1/devices/%E0%A4%A/twin", undefined, 404, "request/not-found", /No route/],
  ];
  for (const [method, path, body, status, code, words] of tries) {
    const { problem } = await ask(method, path, body);
    const told = [problem.detail, ...problem.fields.map((f) => `${f.field} ${f.value} ${f.rule}`)].join("\n");
    assert.deepEqual([problem.status, problem.code], [status, code], `${method} ${path}: ${told}`);
    assert.match(told, words);
  }
  const plain = await ask("PUT", put, '{"value":1}', { "content-type": "text/plain" });
  assert.equal(plain.problem.code, "request/unsupported-media", "what a form of any page could send");
  const large = await ask("PUT", put, { value: "x".repeat(limits.localRequestBytes) });
  assert.equal(large.problem.code, "input/too-large");
  assert.deepEqual([site.writes, site.calls], [[], []]);
});

test("whatever a client with the token sends, the answer is no defect of ours and the next request is answered", async () => {
  const { ask } = await start();
  const part = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }).map(encodeURIComponent),
    fc.constantFrom("api", "v1", "devices", "oven", "twin", "properties", "speed", "power", "local", "hold", "methods"),
    fc.constantFrom("%", "%ff", "..", "", "bake", "__proto__"),
  );
  const names: Record<string, string> = { device: "oven", property: "speed", method: "bake" };
  const route = fc.constantFrom(
    ...localRoutes.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, (_, name) => names[name]!)),
  );
  const path = fc.oneof(
    fc.array(part, { maxLength: 9 }).map((parts) => `/${parts.join("/")}`),
    route,
  );
  const field = fc.constantFrom("value", "holder", "hold", "ttl", "arguments", "timeout", "__proto__", "x");
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.dictionary(field, fc.jsonValue()).map((one) => JSON.stringify(one)),
  );
  const method = fc.constantFrom("GET", "PUT", "POST", "DELETE");
  const property = fc.asyncProperty(method, path, body, async (method, path, body) => {
    const { status } = await ask(method, path, method === "GET" ? undefined : body);
    assert.ok(status < 500, `${method} ${path} ${body}: ${status}`);
  });
  await fc.assert(property, { numRuns: 150 });
});

test("a value set here is answered with its end, or with how far it has come", async () => {
  const { ask, site } = await start();
  const put = "/api/v1/devices/oven/properties/speed/local";
  const pending = await ask("PUT", put, { value: 42, holder: "shift 2" });
  assert.equal(pending.status, 202);
  assert.deepEqual([pending.json.state, pending.json.value], ["pending", 42]);
  assert.equal((pending.json.hold as { holder: string }).holder, "shift 2");
  site.ended = Promise.resolve(endedAs("confirmed"));
  const done = await ask("PUT", `${put}?wait=10s`, { value: 42, hold: "1h", ttl: "5s" });
  assert.deepEqual([done.status, done.json.state, done.json.readBack], [200, "confirmed", 42]);
  const { ttlMs, holdMs, holder } = site.writes[1]!;
  assert.deepEqual([ttlMs, holdMs, holder], [5000, 3_600_000, "somebody at gw-01"]);
  site.ended = Promise.resolve(endedAs("failed", { reason: "mapper/value-refused", message: "The machine says no" }));
  const { problem } = await ask("PUT", `${put}?wait=10s`, { value: 43 });
  assert.deepEqual([problem.status, problem.code], [422, "mapper/value-refused"]);
  assert.match(problem.detail, /The machine says no; somebody at gw-01 holds the property all the same/);
});

test("twin, devices, status and release speak in names", async () => {
  const { ask } = await start();
  await ask("PUT", "/api/v1/devices/oven/properties/speed/local", { value: 42, holder: "panel" });
  const twin = (await ask("GET", "/api/v1/devices/oven/twin")).json as {
    properties: { property: string; reported: { value: number } | null; hold: { holder: string } | null }[];
  };
  const [speed, power] = twin.properties;
  assert.deepEqual([speed?.reported?.value, speed?.hold?.holder, power?.hold], [41.5, "panel", null]);
  const { items } = (await ask("GET", "/api/v1/devices")).json as { items: Record<string, unknown>[] };
  assert.deepEqual([items[0]?.device, items[0]?.connection, items[0]?.state], ["oven", "bus-a", "online"]);
  const status = (await ask("GET", "/api/v1/status")).json as Record<string, Record<string, unknown>[]>;
  assert.deepEqual([status.lines?.[0]?.connection, status.cycles?.[0]?.device], ["bus-a", "oven"]);
  assert.deepEqual([status.holds?.[0]?.device, status.holds?.[0]?.holder], ["oven", "panel"]);
  const release = () => ask("DELETE", "/api/v1/devices/oven/properties/speed/hold");
  assert.deepEqual((await release()).json, { device: "oven", property: "speed", released: true, desired: null });
  assert.equal((await release()).json.released, false);
});

test("a call is answered with its result, or with why it has none; a gateway that stops answers too", async () => {
  const { ask, site } = await start();
  const bake = () => ask("POST", "/api/v1/devices/oven/methods/bake", { arguments: { minutes: 30 }, timeout: "2s" });
  const ended = { reason: null, message: null, type: "int64", value: 2n ** 60n, steps: [] } as const;
  site.outcome = Promise.resolve({ ...ended, state: "done" });
  assert.deepEqual((await bake()).json.result, "1152921504606846976");
  assert.deepEqual([site.calls[0]?.ttlMs, site.calls[0]?.arguments[0]?.value], [2000, 30]);
  site.outcome = Promise.resolve({ ...ended, state: "unknown", reason: "twin/outcome-unknown", message: "No answer" });
  assert.deepEqual((await bake()).problem.code, "twin/outcome-unknown");
  site.outcome = new Promise(() => {});
  const hanging = bake();
  while (site.calls.length < 3) await new Promise((done) => setImmediate(done));
  await open!.close();
  assert.equal((await hanging).problem.code, "twin/outcome-unknown");
});

test("connections beyond the limit are refused and counted, and a body that never ends keeps no gateway from stopping", async () => {
  const { address, token, metrics } = await start();
  const port = Number(new URL(address).port);
  const head = `PUT /api/v1/devices/oven/properties/speed/local HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n`;
  const sockets = Array.from({ length: limits.localConnections }, () => connect({ host: "127.0.0.1", port }));
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.on("error", () => {}).once("connect", done))));
  sockets[0]!.write(`${head}content-type: application/json\r\ncontent-length: 9\r\n\r\n{`);
  const refused = connect({ host: "127.0.0.1", port });
  await new Promise((done) => refused.on("error", () => {}).once("close", done));
  assert.equal(metrics.totals().penstock_local_api_connections_refused_total, 1);
  const began = performance.now();
  await open!.close();
  assert.ok(performance.now() - began < 2000);
  for (const socket of sockets) socket.destroy();
});

test("RequestRate lets so many through in a second, and as many at once after a pause", () => {
  const rate = new RequestRate(10);
  const through = (at: number) => Array.from({ length: 100 }, () => rate.isWithin(at)).filter(Boolean).length;
  assert.deepEqual([through(0), through(500_000), through(500_000), through(60_000_000)], [10, 5, 0, 10]);
});

test("every route takes what its page says", () => {
  assert.equal(new Set(localRoutes.map(({ method, path }) => `${method} ${path}`)).size, localRoutes.length);
  for (const { method, body } of localRoutes)
    assert.ok(Object.keys(body).length === 0 || method === "PUT" || method === "POST");
});
