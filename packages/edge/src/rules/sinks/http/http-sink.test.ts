// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { RuleActionOf } from "@penstock/model";
import { SimRandom, simDisk } from "@penstock/testkit";
import { outputOf, takeAll, testParts } from "../delivery/delivery-fixture.ts";
import { openHttp } from "./http-sink.ts";

interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that writes down what it hears, and answers what it is told. */
async function peer(
  answer: (heard: Heard, count: number) => { status: number; body?: string; headers?: object } | null,
) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const one = { method: request.method!, url: request.url!, headers: request.headers, body };
      heard.push(one);
      const said = answer(one, heard.length);
      if (said === null) request.socket.destroy();
      else response.writeHead(said.status, { ...said.headers }).end(said.body ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ heard, url },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
const ok = () => ({ status: 200 });
const quick: Partial<RuleActionOf<"http">> = { retry: { first: "1ms", longest: "2ms" } };

test("rows go one by one, their columns in URL, headers and body", async () => {
  const server = await peer(ok);
  const { parts, counted } = testParts();
  const sink = openHttp(
    {
      ...{
        url: `${server.url}/v/\${device}?n=\${n}`,
        method: "PUT",
        headers: { "X-Unit": "${unit}" },
        token: "secret",
      },
      fields: ["n", "missing"],
    },
    parts,
  );
  try {
    await takeAll(sink, [outputOf({ device: "a/b c", n: 9_007_199_254_740_993n, unit: "°C" }, { device: "d", n: 2n })]);
    assert.deepEqual(
      server.heard.map(({ method, url, body }) => [method, url, body]),
      [
        ["PUT", "/v/a%2Fb%20c?n=9007199254740993", '{"n":9007199254740993,"missing":null}'],
        ["PUT", "/v/d?n=2", '{"n":2,"missing":null}'],
      ],
    );
    const [{ headers }] = server.heard as [Heard];
    assert.deepEqual(
      [
        headers["content-type"],
        headers.authorization,
        Buffer.from(headers["x-unit"] as string, "latin1").toString("latin1"),
      ],
      ["application/json", "Bearer secret", "°C"],
    );
    assert.equal(counted("delivered_rows"), 2);
  } finally {
    await sink.close();
    await server.close();
  }
});

test("a result goes as one list, a template instead of JSON, and a batch of several results together", async () => {
  const server = await peer(ok);
  const spec = { url: server.url, send: "list" } as const;
  const list = openHttp(spec, testParts().parts);
  const lines = openHttp({ ...spec, template: "${a}=${b}" }, testParts().parts);
  const batch = openHttp({ ...spec, batch: { rows: 3, linger: "1h" } }, testParts().parts);
  try {
    await list.take(outputOf({ a: 1 }, { a: 2 }));
    await lines.take(outputOf({ a: 1, b: "x" }, { a: 2, b: null }));
    await takeAll(batch, [outputOf({ a: 1 }), outputOf({ a: 2 }, { a: 3 })]);
    assert.deepEqual(
      server.heard.map(({ body }) => body),
      ['[{"a":1},{"a":2}]', "1=x\n2=", '[{"a":1},{"a":2},{"a":3}]'],
    );
  } finally {
    await Promise.all([list.close(), lines.close(), batch.close()]);
    await server.close();
  }
});

test("5xx, 429 and a cut connection are tried again; what is refused is given up with its reason and a dead letter", async () => {
  const answers = [{ status: 503 }, null, { status: 429 }, { status: 200 }, { status: 422, body: "no\n such  unit" }];
  const server = await peer((_, count) => (count > answers.length ? { status: 200 } : (answers[count - 1] ?? null)));
  const { parts, counted, published, failures } = testParts();
  const sink = openHttp({ ...quick, url: server.url, deadLetter: "dead/${a}" }, parts);
  try {
    await takeAll(sink, [outputOf({ a: 1 }), outputOf({ a: 2 }), outputOf({ a: 3 })]);
    assert.deepEqual(
      server.heard.map(({ body }) => body),
      ['{"a":1}', '{"a":1}', '{"a":1}', '{"a":1}', '{"a":2}', '{"a":3}'],
    );
    assert.deepEqual(
      [counted("delivered_rows"), counted("given_up_rows"), counted("retries")],
      [2, 1, 2],
      "a kept connection that was closed is no failure",
    );
    assert.match(failures.at(-1)!, /Cannot POST http:.*: status 422: no such unit$/);
    assert.equal(published[0]?.topic, "dead/2");
    const { reason, ...letter } = JSON.parse(published[0]!.text) as { reason: string };
    assert.match(reason, /422/);
    assert.deepEqual(letter, { rule: "hot", action: "http", time: 1_800_000_000_000, row: { a: 2 } });
  } finally {
    await sink.close();
    await server.close();
  }
});

// The cache outlives the rule's settings, and whoever reads the disk is not who wrote the rule.
test("headers that are secrets go to the peer and never onto the disk", async () => {
  const server = await peer((_, count) => ({ status: count === 1 ? 503 : 200 }));
  const disk = simDisk({ random: new SimRandom(1) });
  const { parts } = testParts({ files: disk.files });
  const headers = { "X-Api-Key": "hunter2-${line}", "X-Line": "${line}" };
  const sink = openHttp({ ...quick, url: server.url, headers, batch: { rows: 2 }, cache: {} }, parts);
  try {
    await sink.take(outputOf({ n: 1, line: "a" }, { n: 2, line: "b" }));
    const folder = "/data/rules/cache/hot/0-http";
    const [name = "none"] = await disk.files.list(folder);
    const kept = Buffer.from(await disk.files.readAll(`${folder}/${name}`)).toString("latin1");
    assert.match(kept, /"x-line\\":\\"a/);
    assert.doesNotMatch(kept, /hunter2/);
    while (server.heard.length < 3) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      server.heard.slice(1).map((one) => [one.headers["x-api-key"], one.body]),
      [
        ["hunter2-a", '[{"n":1,"line":"a"}]'],
        ["hunter2-b", '[{"n":2,"line":"b"}]'],
      ],
    );
  } finally {
    await sink.close();
    await server.close();
  }
});

test("a redirect is not followed, and a peer that never stops answering is heard only so far", async () => {
  const elsewhere = await peer(ok);
  const server = await peer((_, count) =>
    count === 1 ? { status: 307, headers: { location: elsewhere.url } } : { status: 200, body: "x".repeat(4_000_000) },
  );
  const { parts, counted } = testParts();
  const sink = openHttp({ ...quick, url: server.url }, parts);
  try {
    await takeAll(sink, [outputOf({ a: 1 }), outputOf({ a: 2 })]);
    assert.deepEqual([elsewhere.heard.length, counted("given_up_rows"), counted("delivered_rows")], [0, 1, 1]);
  } finally {
    await sink.close();
    await Promise.all([server.close(), elsewhere.close()]);
  }
});

test("rows whose columns make no address or header are given up, and the others go", async () => {
  const server = await peer(ok);
  const { parts, counted } = testParts();
  const sink = openHttp({ ...quick, url: `\${base}/v`, headers: { "X-A": "${a}" } }, parts);
  const injected = { base: encodeURI(server.url), a: "x\r\nX-B: y" };
  try {
    await sink.take(outputOf({ base: "nowhere", a: 1 }, injected));
    assert.deepEqual([counted("given_up_rows"), server.heard.length], [2, 0]);
  } finally {
    await sink.close();
    await server.close();
  }
});

test("a peer that says nothing is given up after its time and its tries", async () => {
  const sockets: { destroy(): void }[] = [];
  const server = createServer((request) => void sockets.push(request.socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { parts, counted, failures } = testParts();
  const sink = openHttp({ url, timeout: "20ms", retry: { attempts: 1, first: "1ms" } }, parts);
  await sink.take(outputOf({ a: 1 }));
  assert.deepEqual([counted("given_up_rows"), sockets.length], [1, 2]);
  assert.match(failures.at(-1)!, /tried 2 times: Cannot POST .*: no answer in 20 ms/);
  await sink.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});
