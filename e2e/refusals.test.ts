import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { type ErrorCode, errors, isErrorCode, limits } from "@penstock/model";
import { connectAsync, type MqttClient } from "mqtt";
import { dialLink, ForeignGateway, newKeys } from "./support/foreign-gateway.ts";
import { eventually, TestBench } from "./support/penstock.ts";
import { commandRefusals, httpRefusals, linkRefusals } from "./support/refusal-table.ts";
import { type Answer, startWorld, type World } from "./support/refusal-world.ts";

const bench = new TestBench();
let world: World;
before(async () => {
  world = await startWorld(bench);
});
after(async () => {
  await world?.close();
  await bench.close();
});

/** Sends one bad input: it is refused as expected, the message names what is wrong, and nothing has changed. */
async function refuses(
  send: () => Promise<Answer>,
  expected: { readonly code: ErrorCode | null; readonly number: number; readonly names: readonly (RegExp | string)[] },
): Promise<void> {
  const unchanged = await world.snapshot();
  const answer = await send();
  assert.equal(answer.code, expected.code, answer.text);
  assert.equal(answer.number, expected.number, answer.text);
  for (const name of expected.names) {
    if (typeof name === "string") assert.ok(answer.text.includes(name), `"${name}" in: ${answer.text}`);
    else assert.match(answer.text, name);
  }
  assert.deepEqual(await world.snapshot(), unchanged);
}

async function runCommand(args: readonly string[], input?: string): Promise<Answer> {
  const { code: number, stdout, stderr } = await bench.run(args, input === undefined ? {} : { input });
  assert.equal(stdout, "", "nothing is claimed to be done");
  const code = /^Code: (\S+)$/m.exec(stderr)?.[1];
  return { code: isErrorCode(code) ? code : null, number: number ?? -1, text: stderr };
}

async function ask(
  path: string,
  options: { method: string; headers?: Readonly<Record<string, string>>; body?: string; authorization?: string },
): Promise<Answer> {
  const { method, headers, body, authorization = `Bearer ${world.cloud.token}` } = options;
  const response = await fetch(`${world.cloud.localAddress}${path}`, {
    method,
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const problem = JSON.parse(text) as { code?: unknown; status?: number; detail?: string; fields?: readonly object[] };
  if (response.ok) return { code: null, number: response.status, text };
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  assert.ok(isErrorCode(problem.code), text);
  assert.equal(response.status, errors[problem.code].http, "the status follows from the code");
  return { code: problem.code, number: response.status, text: JSON.stringify(problem).replaceAll('\\"', '"') };
}

describe("command line and YAML", () => {
  for (const { sent, args, input, exit, code, names } of commandRefusals)
    test(`${sent} is refused`, () => refuses(() => runCommand(args, input), { code, number: exit, names }));

  test("a join token of another CA is refused before its secret is sent", async () => {
    const params = { tenant: "default" };
    const { secret } = await world.cloud.client.joinTokens.create({ params, body: { node: "gw-01" } });
    const token = `${secret}.${randomBytes(32).toString("hex")}`;
    const args = ["edge", "join", "--data-dir", "nowhere", "--cloud", world.cloud.address, "--token", token];
    await refuses(() => runCommand(args), { code: "join/ca-mismatch", number: 8, names: ["CA", "nothing was sent"] });
  });
});

describe("HTTP", () => {
  for (const { sent, status, code, names, path, ...request } of httpRefusals)
    test(`${sent} is refused`, () => refuses(() => ask(path, request), { code, number: status, names }));

  test("a used and an expired join token are refused", async () => {
    const join = (secret: string) => () =>
      ask("/api/v1/join", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ secret, publicKey: newKeys().publicPem }),
      });
    const expected = { code: "join/token-invalid", number: 401 } as const;
    await refuses(join(world.foreign.secret), { ...expected, names: [/used/] });
    const params = { tenant: "default" };
    const brief = await world.cloud.client.joinTokens.create({ params, body: { node: "gw-01", ttl: "1s" } });
    await eventually("its end", () => Date.parse(brief.expiresAt) < Date.now());
    await refuses(join(brief.secret), { ...expected, names: [/expired/] });
  });

  test("a reused Idempotency-Key with another body is refused", async () => {
    const path = "/api/v1/tenants/default/jointokens";
    const request = { method: "POST", headers: { "content-type": "application/json", "idempotency-key": "once" } };
    const first = await ask(path, { ...request, body: '{"node":"gw-01","ttl":"1h"}' });
    assert.equal(first.number, 201);
    await refuses(() => ask(path, { ...request, body: '{"node":"gw-01","ttl":"2h"}' }), {
      ...{ code: "request/key-reused", number: 422 },
      names: ["Idempotency-Key", "once", "belongs to another request"],
    });
  });

  test("a write with a browser's cookie from another origin is refused", async () => {
    const { localAddress: origin, login } = world.cloud;
    const headers = { "content-type": "application/json", origin };
    const body = JSON.stringify({ ...login, cookie: true });
    const entered = await fetch(`${origin}/api/v1/login`, { method: "POST", headers, body });
    const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
    const path = "/api/v1/tenants/default/devices/press/properties/speed/desired";
    const write = async (): Promise<Answer> => {
      const from = { "content-type": "application/json", origin: "https://evil.example", cookie };
      const response = await fetch(`${origin}${path}`, { method: "PUT", headers: from, body: '{"value":7}' });
      const text = await response.text();
      return { code: (JSON.parse(text) as { code: ErrorCode }).code, number: response.status, text };
    };
    await refuses(write, { code: "request/wrong-origin", number: 403, names: ["https://evil.example"] });
  });

  // Ten a minute and name; the window may turn once meanwhile, so that twenty pass at most.
  test("guessing passwords is refused after ten a minute", async () => {
    const guess = () =>
      ask("/api/v1/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"user":"guesser","password":"guess"}',
      });
    let last = await guess();
    for (let n = 1; n <= 2 * limits.loginAttemptsPerMinute && last.number === 401; n++) last = await guess();
    await refuses(async () => last, { code: "request/too-many", number: 429, names: ["guesser"] });
  });
});

describe("link", () => {
  for (const { sent, speak, code, names } of linkRefusals)
    test(`${sent} is refused`, () =>
      refuses(
        async () => {
          const gateway = await ForeignGateway.open(world.cloud, world.foreign);
          const from = readFileSync(world.cloudLog, "utf8").length;
          speak(gateway);
          const { code: number, reason } = await gateway.ended;
          const logged = await eventually("the cloud's own line", () => {
            const lines = readFileSync(world.cloudLog, "utf8").slice(from).split("\n");
            return lines.find((line) => line.includes(`"code":"${code}"`));
          });
          const { code: told } = JSON.parse(logged) as { code: ErrorCode };
          return { code: told, number, text: `${reason} ${JSON.stringify(gateway.answers)}` };
        },
        { code, number: 1000, names },
      ));

  test("a frame larger than its limit is refused", () =>
    refuses(
      async () => {
        const gateway = await ForeignGateway.open(world.cloud, world.foreign);
        gateway.raw(new Uint8Array(limits.frameBytes + 1));
        const { code: number, reason } = await gateway.ended;
        return { code: null, number, text: reason };
      },
      // RFC 6455, 7.4.1: 1009, a message too big to process
      { code: null, number: 1009, names: [] },
    ));

  test("a gateway without a certificate is refused by TLS", () =>
    refuses(
      async () => {
        const socket = dialLink(world.cloud, { trustPem: world.foreign.trustPem });
        const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
        return { code: null, number: 0, text: error.message };
      },
      { code: null, number: 0, names: ["certificate required"] },
    ));
});

describe("MQTT", () => {
  const open = (options: object = {}): Promise<MqttClient> =>
    connectAsync(world.edge.mqttAddress, { protocolVersion: 5, reconnectPeriod: 0, ...options }, false);
  const reasonOf = (error: unknown): Answer => {
    const { code, message, packet } = error as Error & { code?: number; packet?: { granted: number[] } };
    return { code: null, number: code ?? packet?.granted[0] ?? -1, text: message };
  };
  const notAuthorized = 0x87;

  test("a publish without a login is refused, and reaches nobody", async () => {
    const [publisher, listener] = [await open(), await open()];
    const heard: string[] = [];
    listener.on("message", (topic) => heard.push(topic));
    await listener.subscribeAsync(["plant/#", "penstock/#"]);
    const topic = "plant/press/speed";
    await refuses(() => publisher.publishAsync(topic, "7", { qos: 1 }).then(fail, reasonOf), {
      ...{ code: null, number: notAuthorized },
      names: [/not authori[sz]ed/i],
    });
    await eventually("what the gateway itself says", () => heard.includes("penstock/default/press/data"));
    assert.ok(!heard.includes(topic));
    await Promise.all([publisher.endAsync(true), listener.endAsync(true)]);
  });

  test("a will is refused", () =>
    refuses(() => open({ will: { topic: "plant/gone", payload: Buffer.from("bye"), qos: 0 } }).then(fail, reasonOf), {
      ...{ code: null, number: notAuthorized },
      names: [/not authori[sz]ed/i],
    }));

  test("a packet larger than its limit ends the connection", async () => {
    const client = await open();
    await refuses(
      async () => {
        const ended = new Promise((resolve) => client.once("close", () => resolve(null)));
        client.publish("plant/large", Buffer.alloc(limits.mqttPacketBytes + 1));
        await ended;
        return { code: null, number: 0, text: "closed" };
      },
      { code: null, number: 0, names: [] },
    );
    await client.endAsync(true);
  });

  test("a subscription to the broker's own topics, and to one that is too long, is refused", async () => {
    const client = await open();
    for (const topic of ["$SYS/#", `plant/${"x".repeat(600)}`]) {
      await refuses(() => client.subscribeAsync(topic).then(fail, reasonOf), {
        ...{ code: null, number: notAuthorized },
        names: [/not authori[sz]ed/i],
      });
    }
    await client.endAsync(true);
  });
});

function fail(): never {
  throw new Error("It was not refused");
}
