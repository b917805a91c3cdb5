import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { AppError, codeOf, type ErrorCode } from "@penstock/model";

export interface UnaryOptions {
  /** by path, such as "/v1beta1.DeviceManagerService/MapperRegister"; bytes in, bytes out */
  readonly methods: ReadonlyMap<string, (request: Uint8Array) => Uint8Array>;
  /** gRPC status by our code; any other is INTERNAL */
  readonly statuses: Partial<Record<ErrorCode, number>>;
  /** as `unaryLimits` has it unless stated */
  readonly silentMs?: number;
  /** a call has ended in another way than well */
  onRefused(code: ErrorCode, error: unknown): void;
}
export interface UnaryServer {
  /** whatever comes over the socket; the caller handles its end and its errors */
  serve(socket: Socket): void;
}

export const unaryLimits = {
  /** A report of 10,000 properties has under one megabyte. */
  messageBytes: 4 * 1024 * 1024,
  /** of calls that have not ended, over all connections */
  heldBytes: 16 * 1024 * 1024,
  callsPerConnection: 256,
  /** Without a byte for so long a call that has not ended never will. */
  silentMs: 30_000,
} as const;

const contentType = "application/grpc";
const prefixBytes = 5;

/**
 * The server's side of gRPC, as far as calls of one message each way need it. A general library spends as much again on
 * every call, on what no mapper uses, and sets no bound to what unfinished calls hold.
 *
 * @source gRPC over HTTP/2: requests, length-prefixed messages, trailers; https://github.com/grpc/grpc/blob/v1.60.0/doc/PROTOCOL-HTTP2.md
 */
export async function unaryServer(options: UnaryOptions): Promise<UnaryServer> {
  const { constants, createServer } = await import("node:http2");
  const server = createServer({ settings: { maxConcurrentStreams: unaryLimits.callsPerConnection } });
  const calls = new UnaryCalls(options, constants.NGHTTP2_CANCEL);
  const passOver = () => {};
  // A connection whose bytes are no HTTP/2 ends by itself.
  server.on("sessionError", passOver);
  server.on("session", (session: ServerHttp2Session) => session.on("error", passOver));
  server.on("stream", (stream, headers) => calls.begin(stream, headers));
  return { serve: (socket) => void server.emit("connection", socket) };
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

class UnaryCalls {
  readonly #options: UnaryOptions;
  readonly #cancel: number;
  #held = 0;

  constructor(options: UnaryOptions, cancel: number) {
    this.#options = options;
    this.#cancel = cancel;
  }

  begin(stream: ServerHttp2Stream, headers: Headers): void {
    stream.on("error", () => {});
    const kind = headers["content-type"];
    if (headers[":method"] !== "POST" || typeof kind !== "string" || !kind.startsWith(contentType)) {
      stream.respond({ ":status": 415 }, { endStream: true });
      return;
    }
    const path = String(headers[":path"]);
    const method = this.#options.methods.get(path);
    if (method === undefined) {
      this.#refuse(stream, new AppError("mapper/unsupported", `No method "${path.slice(0, 100)}"`), 12);
      return;
    }
    this.#collect(stream, method);
  }

  #collect(stream: ServerHttp2Stream, method: (request: Uint8Array) => Uint8Array): void {
    const parts: Buffer[] = [];
    let length = 0;
    let isOver = false;
    const end = () => {
      this.#held -= length;
      parts.length = 0;
      length = 0;
      isOver = true;
    };
    stream.setTimeout(this.#options.silentMs ?? unaryLimits.silentMs, () => {
      if (!isOver) this.#options.onRefused("mapper/timeout", null);
      end();
      stream.close(this.#cancel);
    });
    stream.on("data", (chunk: Buffer) => {
      if (isOver) return;
      parts.push(chunk);
      length += chunk.length;
      this.#held += chunk.length;
      const isTooLong = length > unaryLimits.messageBytes + prefixBytes;
      if (!isTooLong && this.#held <= unaryLimits.heldBytes) return;
      end();
      const why = isTooLong ? `more than ${unaryLimits.messageBytes} bytes` : "too many calls have not ended";
      this.#refuse(stream, new AppError("request/too-many", `Cannot take a message: ${why}`));
    });
    stream.on("end", () => {
      if (isOver) return;
      const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
      end();
      this.#answer(stream, method, bytes);
    });
    stream.on("close", end);
  }

  #answer(stream: ServerHttp2Stream, method: (request: Uint8Array) => Uint8Array, bytes: Buffer): void {
    let answer: Uint8Array;
    try {
      answer = method(messageOf(bytes));
    } catch (error) {
      this.#refuse(stream, error);
      return;
    }
    if (stream.destroyed || stream.closed) return;
    const framed = Buffer.allocUnsafe(prefixBytes + answer.length);
    framed[0] = 0;
    framed.writeUInt32BE(answer.length, 1);
    framed.set(answer, prefixBytes);
    stream.respond({ ":status": 200, "content-type": contentType }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(framed);
  }

  #refuse(stream: ServerHttp2Stream, error: unknown, as?: number): void {
    const code = codeOf(error);
    this.#options.onRefused(code, error);
    if (stream.destroyed || stream.closed) return;
    // What is none of the caller's business has no words.
    const details = error instanceof AppError ? error.message.slice(0, 1000).toWellFormed() : "";
    const status = as ?? this.#options.statuses[code] ?? 13;
    stream.respond(
      {
        ...{ ":status": 200, "content-type": contentType },
        ...{ "grpc-status": String(status), "grpc-message": encodeURIComponent(details) },
      },
      { endStream: true },
    );
    // It may go on sending what nobody reads.
    stream.resume();
  }
}

/** The one message of a request. @throws AppError input/invalid */
function messageOf(bytes: Buffer): Uint8Array {
  const refused = (why: string) => new AppError("input/invalid", `Cannot read a call: ${why}`);
  if (bytes.length < prefixBytes) throw refused("it holds no message");
  if (bytes[0] !== 0) throw refused("its message is compressed, which was not offered");
  if (bytes.readUInt32BE(1) !== bytes.length - prefixBytes)
    throw refused("its message has another length than it says");
  return bytes.subarray(prefixBytes);
}
