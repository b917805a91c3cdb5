// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns that are asked by
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { systemClock } from "@penstock/runtime";
import { HttpLookup } from "./http-lookup.ts";

const never = new AbortController().signal;
const clock = systemClock({ floor: 0 as Micros });

async function server(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const http = createServer(answer);
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  const close = () => {
    http.closeAllConnections();
    return new Promise<void>((done) => http.close(() => done()));
  };
  return { base: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, close };
}

test("answers of an HTTP server are rows; one address is asked once for all its questions", async () => {
  const seen: string[] = [];
  const { base, close } = await server(({ url, headers }, response) => {
    seen.push(`${url} ${headers.authorization ?? ""}`);
    if (url === "/batch/a%2Fb") response.end('{"name": "slash"}');
    else if (url === "/batch/bad") response.end("[1]");
    else if (url === "/batch/no") response.writeHead(404).end("no");
    else if (url === "/batch/mine") response.writeHead(403).end("not yours");
    else response.end('[{"id": 1, "n": "one"}, {"id": "2", "n": "two"}, {"n": "nobody"}]');
  });
  const one = new HttpLookup({ url: `${base}/batch/\${id}`, token: "t" }, { clock, timeoutMs: 2000 });
  const all = new HttpLookup({ url: `${base}/all` }, { clock, timeoutMs: 2000 });
  try {
    assert.deepEqual(await one.ask([{ id: "a/b" }, { id: "bad" }, { id: "no" }, { id: "mine" }], never), [
      [{ name: "slash" }],
      { failure: `GET ${base}/batch/bad: the answer is no row, and no list of rows, as JSON of 1048576 bytes at most` },
      [],
      { failure: `Cannot GET ${base}/batch/mine: status 403: not yours` },
    ]);
    assert.ok(seen.every((line) => line.endsWith(" Bearer t")));
    seen.length = 0;
    assert.deepEqual(await all.ask([{ id: 1n }, { id: 2n }, { id: 3n }], never), [
      [{ id: 1, n: "one" }],
      [{ id: "2", n: "two" }],
      [],
    ]);
    assert.deepEqual(seen, ["/all "]);
  } finally {
    await one.close();
    await all.close();
    await close();
  }
});

test("an HTTP server that is busy, stalls or is gone is asked another time", async () => {
  const { base, close } = await server((request, response) => {
    if (request.url === "/busy") response.writeHead(503).end();
    // Else it says nothing at all.
  });
  const away = { code: "rules/sink-unreachable" };
  const at = (path: string) => new HttpLookup({ url: base + path }, { clock, timeoutMs: 200 });
  const opened = ["/busy", "/stalls"].map(at);
  try {
    for (const lookup of opened) await assert.rejects(lookup.ask([{ id: 1n }], never), away);
    const abort = new AbortController();
    const asking = at("/stalls").ask([{ id: 1n }], abort.signal);
    abort.abort();
    await assert.rejects(asking, away);
    await close();
    await assert.rejects(opened[0]!.ask([{ id: 1n }], never), away);
  } finally {
    for (const lookup of opened) await lookup.close();
    await close().catch(() => {});
  }
});
