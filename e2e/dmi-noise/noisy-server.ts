import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type Socket } from "node:net";
import type { Random } from "@penstock/runtime";
import { frame, framed, oneOf, rawNoise, upTo } from "./noise-bytes.ts";

/**
 * A gRPC server at a path whose answers are late, doubled, garbage, without an end or none; some connections are not even
 * HTTP/2.
 *
 * @param right  the answer to a call of this path, as protobuf
 */
export async function noisyServer(options: {
  readonly path: string;
  readonly random: Random;
  readonly isQuiet: () => boolean;
  /** of the calls */
  readonly wellShare: number;
  right(method: string, request: Buffer): Uint8Array;
}): Promise<{ close(): void }> {
  const { path, random, isQuiet, wellShare, right } = options;
  const http2 = createHttp2Server();
  http2.on("sessionError", () => {});
  http2.on("session", (session) => session.on("error", () => {}));
  http2.on("stream", (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      let answer: Uint8Array = Buffer.alloc(0);
      try {
        answer = right(String(headers[":path"]), Buffer.concat(parts).subarray(5));
      } catch {
        // What came was no message: any answer will do.
      }
      if (isQuiet() || random.number() < wellShare) say(stream, framed(answer));
      else misbehave(stream, answer);
    });
  });
  function misbehave(stream: ServerHttp2Stream, answer: Uint8Array): void {
    const garbage = () => Buffer.from(random.bytes(1 + upTo(random, 300)));
    const kinds: (() => unknown)[] = [
      () => {}, // never
      () => void setTimeout(() => say(stream, framed(answer)), 100 + upTo(random, 2000)), // late
      () => say(stream, framed(garbage())),
      () => say(stream, garbage()),
      () => say(stream, framed(answer, { length: 0xffffffff })),
      () => say(stream, framed(answer, { compressed: 1 })),
      () => say(stream, Buffer.concat([framed(answer), framed(answer)])),
      () => say(stream, framed(answer), oneOf(random, ["1", "2", "13", "14", "99", "x", ""])),
      () => stream.destroyed || stream.close(upTo(random, 14)),
      () => random.number() < 0.2 && stream.session?.destroy(),
      () => stream.destroyed || stream.respond({ ":status": oneOf(random, [200, 404, 500]) }, { endStream: true }),
      () => say(stream, Buffer.alloc(6 * 1024 * 1024, 10)), // longer than anybody takes
    ];
    oneOf(random, kinds)();
  }
  const server = createServer((socket: Socket) => {
    socket.on("error", () => socket.destroy());
    if (isQuiet() || random.number() < 0.9) {
      http2.emit("connection", socket);
      return;
    }
    socket.resume();
    socket.write(rawNoise(random, frame(4, 0, 0, Buffer.alloc(0))));
    setTimeout(() => socket.destroy(), upTo(random, 300));
  });
  await new Promise<void>((done) => server.listen(path, done));
  return { close: () => server.close() };
}

function say(stream: ServerHttp2Stream, bytes: Buffer, status = "0"): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
  stream.end(bytes);
}
