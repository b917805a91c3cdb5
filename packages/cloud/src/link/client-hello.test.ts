import assert from "node:assert/strict";
import { createServer } from "node:net";
import test from "node:test";
import { connect } from "node:tls";
import fc from "fast-check";
import { parseClientHello } from "./client-hello.ts";

/** The first flight of Node's own TLS client. */
async function realHello(options: { alpn?: string[]; servername?: string; maxVersion?: "TLSv1.2" }): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = connect({
    host: "127.0.0.1",
    port: address.port,
    ...(options.alpn === undefined ? {} : { ALPNProtocols: options.alpn }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
  });
  client.on("error", () => {});
  const bytes = await promise;
  server.close();
  return bytes;
}

/** Cuts the handshake of one record into records of at most `size` bytes. */
function refragment(hello: Buffer, size: number): Buffer {
  const data = hello.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; at += size) {
    const part = data.subarray(at, at + size);
    // type handshake, legacy version 3.1, length
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(parts);
}

const real = await realHello({ alpn: ["h2", "penstock/1"], servername: "cloud.example" });

test("parseClientHello() reads ALPN and server name of a real client", async () => {
  assert.deepEqual(parseClientHello(real), {
    state: "hello",
    alpn: ["h2", "penstock/1"],
    serverName: "cloud.example",
  });
  const old = await realHello({ maxVersion: "TLSv1.2" });
  assert.deepEqual(parseClientHello(old), { state: "hello", alpn: [], serverName: null });
});

test("parseClientHello() asks for more until the hello is whole, however it is cut into records", () => {
  for (let length = 0; length < real.length; length++)
    assert.equal(parseClientHello(real.subarray(0, length)).state, "more", `${length} bytes`);
  for (const size of [1, 2, 3, 50, 100]) {
    const cut = refragment(real, size);
    assert.equal(parseClientHello(cut).state, "hello", `records of ${size}`);
    assert.equal(parseClientHello(cut.subarray(0, -1)).state, "more", `records of ${size}, one byte short`);
  }
});

test("parseClientHello() tells what is no TLS and what no hello from each other", () => {
  assert.equal(parseClientHello(Buffer.from("GET / HTTP/1.1\r\n")).state, "not-tls");
  assert.equal(parseClientHello(Buffer.from([22, 9, 9, 0, 1, 1])).state, "not-tls");
  // a ServerHello, a hello of 2^24 - 1 bytes, a record of nothing, an alert in the middle of a hello
  assert.equal(parseClientHello(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])).state, "bad");
  assert.equal(parseClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])).state, "bad");
  assert.equal(parseClientHello(Buffer.from([22, 3, 1, 0, 0])).state, "bad");
  const alert = Buffer.concat([refragment(real, 10).subarray(0, 15), Buffer.from([21, 3, 1, 0, 2, 1, 0])]);
  assert.equal(parseClientHello(alert).state, "bad");
});

test("parseClientHello() gives an answer to any bytes, and a damaged hello never names more than it holds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(real.length),
      (damage, length) => {
        const bytes = Buffer.from(real);
        for (const [at, value] of damage) bytes[at] = value;
        const answer = parseClientHello(bytes.subarray(0, length));
        if (answer.state === "hello") assert.ok(answer.alpn.join("").length <= real.length);
      },
    ),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
      parseClientHello(garbage);
      parseClientHello(Buffer.concat([Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252]), garbage]));
    }),
    { numRuns: 1000 },
  );
});
