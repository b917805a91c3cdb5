import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";

export interface CallOutcome {
  /** of gRPC; null = the call ended without one */
  readonly status: number | null;
  readonly body: Buffer;
}

/** Unary gRPC calls by Node's HTTP/2 alone: what they cost is the caller's and not a library's. */
export class BareGrpcClient {
  readonly #session: ClientHttp2Session;

  constructor(path: string) {
    this.#session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
    // Calls that were under way end with their own error.
    this.#session.on("error", () => {});
  }

  call(method: string, message: Uint8Array): Promise<CallOutcome> {
    return new Promise((resolve) => {
      const stream = this.#session.request({
        ...{ [constants.HTTP2_HEADER_METHOD]: "POST", [constants.HTTP2_HEADER_PATH]: method },
        ...{ "content-type": "application/grpc", te: "trailers" },
      });
      let status: number | null = null;
      let body = Buffer.alloc(0);
      const see = (headers: Readonly<Record<string, unknown>>) => {
        if (headers["grpc-status"] !== undefined) status = Number(headers["grpc-status"]);
      };
      stream.on("response", see);
      stream.on("trailers", see);
      stream.on("data", (chunk: Buffer) => {
        body = Buffer.concat([body, chunk]);
      });
      stream.on("error", () => {});
      // Length-prefixed message: a byte that says whether it is compressed, four of its length.
      stream.on("close", () => resolve({ status, body: body.subarray(5) }));
      const framed = Buffer.allocUnsafe(5 + message.length);
      framed.writeUInt8(0, 0);
      framed.writeUInt32BE(message.length, 1);
      framed.set(message, 5);
      stream.end(framed);
    });
  }

  close(): void {
    this.#session.destroy();
  }
}
