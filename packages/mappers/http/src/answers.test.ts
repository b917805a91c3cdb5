// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of paths and bodies have placeholders of that shape
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Value } from "@penstock/model";
import { codeOf, openFor, pointOf } from "../test/open-for.ts";
import { type Asked, ok, RawServer } from "../test/raw-server.ts";

const { signal } = new AbortController();
const open: { close(): Promise<void> }[] = [];
after(async () => {
  for (const one of open.reverse()) await one.close();
});

async function serve(
  answer: (asked: Asked, socket: Socket) => void,
  settings: Readonly<Record<string, unknown>> = {},
  options: Parameters<typeof openFor>[2] = {},
) {
  const server = new RawServer();
  server.answer = answer;
  await server.listen();
  const opened = await openFor(server.url, settings, options);
  open.push(server, opened.connection);
  return { server, ...opened };
}
type Opened = Awaited<ReturnType<typeof serve>>;

const level = pointOf("level", "float64", { resource: "/s", path: "$.level" });
/** value or reason; a read that rejects gives its code */
async function shown({ connection }: Opened, point = level): Promise<Value | string> {
  try {
    const [result] = await connection.read([point], { signal });
    return result!.value ?? result!.reason!;
  } catch (error) {
    return (error as { code: string }).code;
  }
}
const says = (text: string | Uint8Array) => (_: Asked, socket: Socket) => void socket.write(text);
const endsWith = (text: string) => (_: Asked, socket: Socket) => void socket.end(text);
const right = ok('{"level": 21.5}');

test("points that share one URL are one request a cycle, typed and converted each", async () => {
  const body = '{"t": "20.5", "n": 18446744073709551615, "on": "ON", "raw": "AQI=", "list": [1, {"a": 205}]}';
  const opened = await serve(says(ok(body)));
  const of = (name: string, type: Parameters<typeof pointOf>[1], visitor: Record<string, unknown>) =>
    pointOf(name, type, { resource: "/status", ...visitor });
  const points = [
    of("t", "float64", { path: "$.t" }),
    of("n", "uint64", { path: "n" }),
    of("on", "bool", { path: "$.on", on: "ON", off: "OFF" }),
    of("raw", "bytes", { path: "$['raw']" }),
    of("scaled", "float64", { path: "$.list[1].a", scale: 0.1 }),
    of("gone", "int16", { path: "$.list[2]" }),
    of("small", "int8", { path: "$.list[1].a" }),
    of("all", "json", { path: "$.list" }),
    pointOf("other", "float64", { resource: "/other", path: "$.t" }),
  ];
  const results = await opened.connection.read(points, { signal });
  assert.deepEqual(
    results.map(({ value, reason }) => value ?? reason),
    [
      ...[
        20.5,
        18446744073709551615n,
        true,
        Uint8Array.of(1, 2),
        20.5,
        "mapper/bad-answer",
        "mapper/value-out-of-range",
      ],
      ...[{ json: [1, { a: 205 }] }, 20.5],
    ],
  );
  assert.deepEqual(
    opened.server.asked.map(({ path }) => path),
    ["/status", "/other"],
  );
});

test("each broken answer has its code, and none has a value", async () => {
  const half = right.slice(0, -5);
  const cases: [string, (asked: Asked, socket: Socket) => void, string][] = [
    ["a body cut", endsWith(half), "mapper/bad-answer"],
    ["a content-length too long", endsWith(right.replace("length: 15", "length: 99")), "mapper/bad-answer"],
    ["a content-length too short", says(right.replace("length: 15", "length: 9")), "mapper/bad-answer"],
    [
      "chunks cut",
      endsWith('HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nf\r\n{"level": 21.5}\r\n'),
      "mapper/bad-answer",
    ],
    [
      "two lengths",
      says('HTTP/1.1 200 X\r\ncontent-length: 15\r\ncontent-length: 3\r\n\r\n{"level": 21.5}'),
      "mapper/bad-answer",
    ],
    [
      "a page for people",
      says(ok("<html>21.5</html>", { headers: { "content-type": "text/html" } })),
      "mapper/bad-answer",
    ],
    ["not HTTP", endsWith("level is 21.5\r\n\r\n"), "mapper/bad-answer"],
    ["hung up", (_, socket) => void socket.destroy(), "mapper/connection-lost"],
    ["nothing", says(ok("", { status: 204 })), "mapper/bad-answer"],
    ["headers without end", says(`HTTP/1.1 200 X\r\n${"x: y\r\n".repeat(20_000)}`), "mapper/bad-answer"],
    ["too long", says(ok(`{"level": 21.5, "x": "${"x".repeat(2 ** 20)}"}`)), "mapper/bad-answer"],
    ["too deep", says(ok(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)), "mapper/bad-answer"],
    ["null", says(ok('{"level": null}')), "mapper/bad-answer"],
    ["another packing", says(ok("{}", { headers: { "content-encoding": "br" } })), "mapper/bad-answer"],
  ];
  for (const [what, answer, code] of cases) {
    const opened = await serve(answer);
    assert.equal(await shown(opened), code, what);
    // The next answer is right, and nothing of the one before stands before it.
    opened.server.answer = says(right);
    assert.equal(await shown(opened), 21.5, `after ${what}`);
  }
});

test("each status has its code, for reading and writing", async () => {
  const set = pointOf("x", "bool", { setResource: "/x" });
  const codes = async (status: number) => {
    const opened = await serve(says(ok('{"level": 21.5}', { status })));
    return [await shown(opened), await codeOf(opened.connection.write(set, true, { signal }))];
  };
  const same = (code: string) => [code, code];
  assert.deepEqual(await codes(201), [21.5, "no error"]);
  assert.deepEqual(await codes(303), ["mapper/bad-answer", "no error"]);
  assert.deepEqual(await codes(401), same("mapper/access-denied"));
  assert.deepEqual(await codes(404), same("mapper/bad-address"));
  assert.deepEqual(await codes(405), same("mapper/function-unsupported"));
  assert.deepEqual(await codes(409), ["mapper/device-failure", "mapper/value-refused"]);
  assert.deepEqual(await codes(429), same("mapper/device-busy"));
  assert.deepEqual(await codes(500), same("mapper/device-failure"));
  assert.deepEqual(await codes(504), same("mapper/gateway-no-response"));
});

test("a server that stalls anywhere costs one time-out", async () => {
  for (const answer of [
    () => {},
    says("HTTP/1.1 200 X\r\ncontent-le"),
    says(right.slice(0, -3)),
    says("HTTP/1.1 100 Continue\r\n\r\n"),
  ]) {
    const opened = await serve(answer);
    const read = shown(opened);
    await opened.server.until(1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    opened.clock.move(1000);
    opened.clock.move(1000);
    assert.equal(await read, "mapper/timeout");
  }
});

test("an answer that drips for ever ends by the clock, however lively it is", async () => {
  let drip = () => {};
  const opened = await serve((_, socket) => {
    socket.write(right.slice(0, -5));
    drip = () => void socket.write(" ");
  });
  let ended: unknown = null;
  const read = shown(opened).then((how) => {
    ended = how;
  });
  await opened.server.until(1);
  for (let i = 0; i < 50 && ended === null; i++) {
    if (i < 4) drip();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    opened.clock.move(300);
  }
  await read;
  assert.equal(ended, "mapper/timeout");
});

test("redirects are followed within the origin, so many, and passwords go nowhere else", async () => {
  const to = (location: string, status = 302) => ok("", { status, headers: { location } });
  const hops = await serve(({ path }, socket) => {
    const n = Number(path.slice(2));
    socket.write(n < 3 ? to(`/s${n + 1}`) : right);
  });
  assert.equal(await shown(hops, pointOf("l", "float64", { resource: "/s0", path: "$.level" })), 21.5);
  const loop = await serve(says(to("/s")));
  assert.equal(await shown(loop), "mapper/bad-answer");
  assert.equal(loop.server.asked.length, 4);

  const elsewhere = await serve(says(right));
  const settings = { user: "u", password: "p", headers: ["X-Plant: 1"], secretHeader: "X-Api-Key: k" };
  const home = await serve(says(to(`${elsewhere.server.url}/x`)), settings);
  assert.equal(await shown(home), "mapper/bad-answer");
  assert.equal(elsewhere.server.asked.length, 0);
  const open = await serve(says(to(`${elsewhere.server.url}/x`)), { ...settings, otherOrigins: true });
  assert.equal(await shown(open), 21.5);
  assert.match(open.server.asked[0]!.head, /x-api-key: k/i);
  assert.match(open.server.asked[0]!.head, /authorization: Basic dTpw/i);
  assert.doesNotMatch(elsewhere.server.asked[0]!.head, /authorization|x-api-key|x-plant/i);
});

test("gzip is unpacked, within the limit", async () => {
  const packed = (text: string) => (_: Asked, socket: Socket) => {
    const body = gzipSync(text);
    socket.write(`HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body);
  };
  assert.equal(await shown(await serve(packed('{"level": 21.5}'))), 21.5);
  assert.equal(await shown(await serve(packed(`{"level": 21.5, "x": "${"x".repeat(2 ** 25)}"}`))), "mapper/bad-answer");
});

test("an answer that nobody asked for is nobody's, on a socket that is kept", async () => {
  const opened = await serve(says(right));
  assert.equal(await shown(opened), 21.5);
  const [socket] = [...opened.server.sockets].filter((one) => !one.destroyed);
  const closed = once(socket!, "close");
  socket!.write(ok('{"level": 99}'));
  await closed;
  assert.equal(await shown(opened), 21.5);
});

test("a kept socket that the device has closed costs nothing", async () => {
  let count = 0;
  const opened = await serve((_, socket) => {
    // The second question on a socket is not seen any more.
    if (count++ === 1) socket.destroy();
    else socket.write(right);
  });
  assert.equal(await shown(opened), 21.5);
  assert.equal(await shown(opened), 21.5);
  assert.deepEqual([opened.lost, count], [[], 3]);
});

test("values are set by body or by path, typed and escaped", async () => {
  const opened = await serve(says(ok("")));
  const { connection, server } = opened;
  const write = (point: ReturnType<typeof pointOf>, value: Value) => connection.write(point, value, { signal });
  const address = { name: "hall 2/oven?" };
  await write(
    pointOf(
      "s",
      "string",
      { setResource: "/${name}/set", template: '{"v": ${value}, "by": "${device}: ${text}"}' },
      { address },
    ),
    'a"b',
  );
  await write(pointOf("n", "int64", { setResource: "/n" }), 2n ** 62n);
  await write(
    pointOf("r", "bool", { setResource: "/relay?turn=${text}", setMethod: "GET", on: "on", off: "off" }),
    true,
  );
  await write(pointOf("t", "string", { setResource: "/t?x=${text}", setMethod: "GET" }), "a&b=/c");
  await write(pointOf("f", "float64", { setResource: "/f", format: "text", scale: 0.1, setMethod: "POST" }), 2.5);
  assert.deepEqual(
    server.asked.map(({ method, path, body }) => [method, path, body]),
    [
      ["PUT", "/hall%202/oven%3F/set", '{"v": "a\\"b", "by": "oven-1: a\\"b"}'],
      ["PUT", "/n", "4611686018427387904"],
      ["GET", "/relay?turn=on", ""],
      ["GET", "/t?x=a%26b%3D%2Fc", ""],
      ["POST", "/f", "25"],
    ],
  );
  assert.match(server.asked[0]!.head, /content-type: application\/json/);
  const injecting = pointOf("i", "string", { setResource: "/i", template: '{"v": ${text}}' });
  assert.equal(await codeOf(write(injecting, '1, "admin": true')), "mapper/unsupported");
});

test("a text is searched by a pattern that ends soon, or not at all", async () => {
  const page = "Oven 1\nTemperature: 181.5 C\n";
  const opened = await serve(says(ok(page, { headers: { "content-type": "text/html" } })));
  const of = (pattern: string) => pointOf("t", "float64", { resource: "/", format: "text", pattern });
  assert.equal(await shown(opened, of("^Oven 1\\nTemperature: ([0-9.]{1,10}) C")), 181.5);
  assert.equal(await shown(opened, of("^(a+)+$")), "mapper/bad-address");
  assert.equal(await shown(opened, of("^nothing")), "mapper/bad-answer");
  assert.equal(await shown(opened, pointOf("t", "string", { resource: "/", format: "text" })), "mapper/bad-answer");
});

test("many paths take turns, at most inFlight at a time", async () => {
  const waiting: Socket[] = [];
  const opened = await serve((_, socket) => void waiting.push(socket), {}, { line: { inFlight: 3 } });
  const points = Array.from({ length: 10 }, (_, i) =>
    pointOf(`p${i}`, "float64", { resource: `/${i}`, path: "$.level" }),
  );
  const read = opened.connection.read(points, { signal });
  let most = 0;
  for (let answered = 0; answered < 10; answered++) {
    await opened.server.until(Math.min(10, answered + 3));
    most = Math.max(most, waiting.length);
    waiting.shift()!.write(right);
  }
  assert.deepEqual(
    (await read).map(({ value }) => value),
    Array(10).fill(21.5),
  );
  assert.equal(most, 3);
});
