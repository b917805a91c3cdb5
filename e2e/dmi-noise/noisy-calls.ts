import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { Random } from "@penstock/runtime";
import { framed, oneOf, preface, rawNoise, spoilt, upTo } from "./noise-bytes.ts";

export interface GoodCall {
  readonly method: string;
  readonly message: Uint8Array;
  /** whether its bytes may be changed: what they then say is nobody's to judge */
  readonly mayBeSpoilt: boolean;
}

/**
 * Calls of somebody who means no good, and connections that are none, until `isQuiet`: cut, doubled, compressed, endless,
 * without a body, at methods that are not there; reset, or left hanging.
 */
export async function noisyCalls(options: {
  readonly path: string;
  readonly random: Random;
  readonly isQuiet: () => boolean;
  good(): GoodCall;
}): Promise<number> {
  const { path, random, isQuiet, good } = options;
  let made = 0;
  let session: ClientHttp2Session | null = null;
  const open = (): ClientHttp2Session => {
    if (session !== null && !session.destroyed && !session.closed && random.number() > 0.02) return session;
    session?.destroy();
    session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
    session.on("error", () => {});
    return session;
  };
  const begin = (method: string, type = "application/grpc", verb = "POST"): ClientHttp2Stream | null => {
    try {
      const stream = open().request({ ":method": verb, ":path": method, "content-type": type, te: "trailers" });
      stream.on("error", () => {});
      stream.resume();
      made++;
      return stream;
    } catch {
      return null; // the session has just gone
    }
  };
  const once = () => {
    const { method, message, mayBeSpoilt } = good();
    const whole = framed(message);
    const kinds: (() => void)[] = [
      () => begin(method)?.end(mayBeSpoilt ? framed(spoilt(random, message)) : whole),
      () => begin(method)?.end(whole.subarray(0, upTo(random, whole.length))),
      () =>
        begin(method)?.end(framed(message, { length: oneOf(random, [0, message.length + 1, 0x7fffffff, 0xffffffff]) })),
      () => begin(method)?.end(framed(message, { compressed: 1 + upTo(random, 255) })),
      () => begin(method)?.end(Buffer.concat([whole, whole])),
      () => begin(method)?.end(framed(random.bytes(upTo(random, 200)))),
      () => begin(method)?.end(),
      () =>
        begin(oneOf(random, ["/", "*", "/x/y", `${method}x`, "/v1beta1.DeviceMapperService/GetDevice"]))?.end(whole),
      () => begin(method, "text/plain")?.end(whole),
      () => begin(method, "application/grpc", "GET")?.end(),
      () => begin(method)?.write(whole.subarray(0, 3)), // never ends
      () => begin(method)?.write(Buffer.alloc(100_000)), // nor this
      () => {
        const stream = begin(method);
        stream?.write(whole.subarray(0, 4));
        stream?.close(upTo(random, 14));
      },
      () => random.number() < 0.1 && begin(method)?.end(Buffer.alloc(5 * 1024 * 1024, 1)),
      () => random.number() < 0.1 && Array.from({ length: 300 }, () => begin(method)?.write(whole.subarray(0, 6))),
      () => {
        const raw = connect(path, () => raw.write(rawNoise(random, preface)));
        raw.on("error", () => {});
        raw.resume();
        setTimeout(() => raw.destroy(), upTo(random, 300));
        made++;
      },
      () => session?.destroy(),
    ];
    if (random.number() < 0.5) begin(method)?.end(whole);
    else oneOf(random, kinds)();
  };
  while (!isQuiet()) {
    once();
    await new Promise((done) => setTimeout(done, 2));
  }
  (session as ClientHttp2Session | null)?.destroy();
  return made;
}
