/**
 * A broker and an HTTP server in one process of their own that answer rightly, and often not: `node noisy-peer.ts NONCE SEED`.
 * What is well formed is right; the rest is random bytes, cut, late, doubled, dripping, too long or not at all. Told "quiet"
 * they are well.
 */
import { createServer, type Socket } from "node:net";
import { heldAt } from "./held-at.ts";

const [nonce, seed] = [Number(process.argv[2]), Number(process.argv[3])];
let isQuiet = false;
let state = seed | 1;
/** 0..1, the same for the same seed */
function chance(): number {
  // xorshift32: noise need not be good, only the same again
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}
const below = (n: number) => Math.floor(chance() * n);
const randomBytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));

/** Sends an answer well or badly. */
function say(socket: Socket, right: Buffer, odd: readonly (() => Buffer)[]): void {
  const roll = isQuiet ? 1 : chance();
  if (roll > 0.5) socket.write(right);
  else if (roll > 0.42) socket.write(right.subarray(0, below(right.length)));
  else if (roll > 0.36) socket.end(right.subarray(0, below(right.length)));
  else if (roll > 0.3) socket.write(randomBytes(1 + below(600)));
  else if (roll > 0.24) setTimeout(() => socket.destroyed || socket.write(right), 20 + below(200));
  else if (roll > 0.2) socket.write(Buffer.concat([right, right]));
  else if (roll > 0.16) socket.destroy();
  else if (roll > 0.08) socket.write(odd[below(odd.length)]!());
  else if (roll > 0.04) {
    socket.write(right.subarray(0, 9));
    setTimeout(() => socket.destroyed || socket.write(right.subarray(9)), below(30));
  }
}

const json = (i: number) => JSON.stringify({ i, list: [{ value: heldAt(nonce, i) }] });

function httpAnswer(status: number, body: string, length = Buffer.byteLength(body)): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
  );
}
function onHttp(socket: Socket): void {
  let held = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    held += chunk.toString("latin1");
    for (let end = held.indexOf("\r\n\r\n"); end >= 0; end = held.indexOf("\r\n\r\n")) {
      const head = held.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (held.length < end + 4 + length) return;
      held = held.slice(end + 4 + length);
      const i = Number(/ \/(\d+)/.exec(head)?.[1] ?? 0);
      const body = json(i);
      say(socket, httpAnswer(200, body), [
        () => httpAnswer([302, 404, 429, 500, 503][below(5)]!, body),
        () => httpAnswer(200, body, body.length + 1 + below(50)),
        () => httpAnswer(200, body, below(body.length)),
        () => httpAnswer(200, "<html>99</html>"),
        () => httpAnswer(200, "[".repeat(below(100_000))),
        () => Buffer.from(`HTTP/1.1 302 X\r\nlocation: /${i}\r\ncontent-length: 0\r\n\r\n`),
        () => Buffer.from(`HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}`),
        () => Buffer.from(`HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
      ]);
    }
  });
}

// Packets as MQTT 5.0 has them: type, remaining length, then what the type says.
function packet(first: number, rest: Buffer): Buffer {
  const length = rest.length < 128 ? [rest.length] : [(rest.length % 128) + 128, Math.floor(rest.length / 128)];
  return Buffer.concat([Buffer.from([first, ...length]), rest]);
}
function publish(topic: string, payload: string | Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(topic.length);
  return packet(0x31, Buffer.concat([size, Buffer.from(topic), Buffer.from([0]), Buffer.from(payload)]));
}
/** topics of a SUBSCRIBE after its packet id and properties */
function topicsOf(request: Buffer, at: number): string[] {
  const topics: string[] = [];
  for (let i = at; i + 2 < request.length; ) {
    const length = request.readUInt16BE(i);
    topics.push(request.toString("latin1", i + 2, i + 2 + length));
    i += 3 + length;
  }
  return topics;
}
function onMqtt(socket: Socket): void {
  let held = Buffer.alloc(0);
  const topics = new Set<string>();
  const tell = () => {
    for (const topic of topics) {
      const i = Number(topic.slice(2));
      say(socket, publish(topic, json(i)), [
        () => publish(topic, randomBytes(below(100))),
        () => publish(topic, json(i).slice(0, -3)),
        () => publish(topic, "[".repeat(below(16_000))),
        () => publish(`x/${i}`, json(i)),
        () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]),
        () => Buffer.from([0x90, 3, 0, below(256), 0]),
        () => Buffer.from([0xf0, 0]),
      ]);
    }
  };
  const timer = setInterval(tell, 10);
  socket.on("close", () => clearInterval(timer));
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (held.length < 2 || (held[1]! >= 0x80 && held.length < 3)) return;
      const head = held[1]! < 0x80 ? 2 : 3;
      const length = head === 2 ? held[1]! : (held[1]! & 0x7f) + held[2]! * 128;
      if (held.length < head + length) return;
      const request = held.subarray(0, head + length);
      held = held.subarray(head + length);
      const id = request.subarray(head, head + 2);
      switch (request[0]! & 0xf0) {
        case 0x10:
          say(socket, packet(0x20, Buffer.from([0, 0, 0])), [() => packet(0x20, Buffer.from([0, 0x88, 0]))]);
          break;
        case 0x80: {
          const asked = topicsOf(request, head + 3);
          for (const topic of asked) topics.add(topic);
          const granted = Buffer.concat([id, Buffer.from([0]), Buffer.alloc(asked.length, 1)]);
          say(socket, packet(0x90, granted), [() => packet(0x90, Buffer.concat([id, Buffer.from([0, 0x87])]))]);
          break;
        }
        case 0x30: {
          const at = head + 2 + request.readUInt16BE(head);
          say(socket, packet(0x40, request.subarray(at, at + 2)), [
            () => packet(0x40, Buffer.concat([request.subarray(at, at + 2), Buffer.from([0x99, 0])])),
          ]);
          break;
        }
        case 0xa0:
          for (const topic of topicsOf(request, head + 3)) topics.delete(topic);
          socket.write(packet(0xb0, Buffer.concat([id, Buffer.from([0, 0])])));
          break;
        case 0xc0:
          socket.write(Buffer.from([0xd0, 0]));
      }
    }
  });
}

const servers = [createServer(onMqtt), createServer(onHttp)];
for (const server of servers) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const [mqtt, http] = servers.map((server) => (server.address() as { port: number }).port);
process.on("message", () => {
  isQuiet = true;
});
process.on("disconnect", () => process.exit(0));
process.send!({ mqtt, http });
