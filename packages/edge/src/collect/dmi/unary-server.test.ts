import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AppError, type ErrorCode } from "@penstock/model";
import { unaryLimits, unaryServer } from "./unary-server.ts";

async function stage(t: TestContext, { silentMs = unaryLimits.silentMs as number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "unary-"));
  const path = join(folder, "s.sock");
  const refused: ErrorCode[] = [];
  const { serve } = await unaryServer({
    methods: new Map([
      ["/x/Echo", (request: Uint8Array) => request],
      [
        "/x/Fails",
        () => {
          throw new AppError("resource/not-found", "No device \u{1f916} \ud800");
        },
      ],
    ]),
    statuses: { "resource/not-found": 5, "input/invalid": 3, "request/too-many": 8 },
    onRefused: (code) => refused.push(code),
    silentMs,
  });
  const server = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
  session.on("error", () => {});
  t.after(() => {
    session.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const begin = (method: string, type = "application/grpc"): ClientHttp2Stream => {
    const stream = session.request({ ":method": "POST", ":path": method, "content-type": type, te: "trailers" });
    stream.on("error", () => {});
    return stream;
  };
  /** status, message and body; or how the stream ended */
  const outcome = async (stream: ClientHttp2Stream): Promise<readonly unknown[]> => {
    const said: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    stream.on("response", (headers) => Object.assign(said, headers));
    stream.on("trailers", (headers) => Object.assign(said, headers));
    stream.on("data", (part: Buffer) => parts.push(part));
    await once(stream, "close");
    if (said["grpc-status"] === undefined) return [said[":status"] ?? `reset ${stream.rstCode}`];
    return [said["grpc-status"], decodeURIComponent(String(said["grpc-message"] ?? "")), Buffer.concat(parts)];
  };
  const call = (method: string, body: Buffer, type?: string) => {
    const stream = begin(method, type);
    stream.end(body);
    return outcome(stream);
  };
  return { begin, outcome, call, refused, session };
}
/** compressed?, length, message */
const framed = (message: Buffer, length = message.length, compressed = 0) =>
  Buffer.concat([
    Buffer.from([compressed, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]),
    message,
  ]);

test("unaryServer answers a call, and says in status and words why it does not", async (t) => {
  const { call, refused } = await stage(t);
  const body = Buffer.from("hello");
  assert.deepEqual(await call("/x/Echo", framed(body)), ["0", "", framed(body)]);
  assert.deepEqual(await call("/x/Echo", framed(body), "application/grpc+proto"), ["0", "", framed(body)]);
  assert.deepEqual(await call("/x/Echo", framed(Buffer.alloc(0))), ["0", "", framed(Buffer.alloc(0))]);
  assert.deepEqual((await call("/x/Fails", framed(body))).slice(0, 2), ["5", "No device \u{1f916} \ufffd"]);
  assert.equal((await call("/x/Nothing", framed(body)))[0], "12");
  assert.deepEqual(await call("/x/Echo", framed(body), "text/plain"), [415]);
  assert.deepEqual(refused, ["resource/not-found", "mapper/unsupported"]);
});

test("unaryServer refuses what is no one message of its length", async (t) => {
  const { call } = await stage(t);
  const body = Buffer.from("hello");
  for (const wrong of [
    Buffer.alloc(0),
    framed(body).subarray(0, 4),
    framed(body).subarray(0, 8),
    framed(body, 4),
    framed(body, 0xffffffff),
    framed(body, 5, 1),
    Buffer.concat([framed(body), framed(body)]),
  ]) {
    assert.equal((await call("/x/Echo", wrong))[0], "3", wrong.toString("hex"));
  }
});

test("unaryServer bounds a message, what all unfinished calls hold, and how long one may be silent", async (t) => {
  const { begin, call, outcome, refused } = await stage(t, { silentMs: 300 });
  const tooLong = Buffer.alloc(unaryLimits.messageBytes + 6);
  assert.equal((await call("/x/Echo", tooLong))[0], "8");
  const silent = begin("/x/Echo");
  silent.write(framed(Buffer.from("hello")).subarray(0, 7));
  assert.deepEqual(await outcome(silent), ["reset 8"]); // CANCEL
  // Five of nearly the longest are more than all may hold.
  const unfinished = Array.from({ length: 5 }, () => {
    const stream = begin("/x/Echo");
    stream.write(Buffer.alloc(unaryLimits.messageBytes - 10));
    return outcome(stream);
  });
  assert.deepEqual((await Promise.all(unfinished)).map(([status]) => status).sort(), [
    "8",
    ...Array.from({ length: 4 }, () => "reset 8"),
  ]);
  // What they held is free again.
  assert.equal((await call("/x/Echo", framed(Buffer.alloc(unaryLimits.messageBytes - 10))))[0], "0");
  assert.deepEqual([...new Set(refused)].sort(), ["mapper/timeout", "request/too-many"]);
});
