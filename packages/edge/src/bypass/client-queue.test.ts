import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { defaultBrokerLimits } from "./broker-limits.ts";
import { ClientQueue } from "./client-queue.ts";

const limits = { ...defaultBrokerLimits, packetBytes: 1024, queuedBytes: 100_000, queuedMessages: 40, stalledMs: 1000 };
const noShare = Number.POSITIVE_INFINITY;

/** Our end of a connection whose other end reads nothing until told to. */
async function pair(t: TestContext): Promise<{ socket: Socket; peer: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  peer.pause();
  peer.on("error", () => {});
  socket.on("error", () => {});
  t.after(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });
  return { socket, peer };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Offers messages, as the broker does, until one is refused. */
async function fill(queue: ClientQueue, socket: Socket, bytes: number): Promise<number> {
  for (let sent = 0; ; sent++) {
    if (queue.accept(bytes, noShare, 0) !== "taken") return sent;
    assert.equal(socket.write(Buffer.alloc(bytes)), true, "a full socket must not stop delivery to others");
    await turn();
  }
}

test("ClientQueue never holds more bytes than its bound, and takes again when the client has read", async (t) => {
  const { socket, peer } = await pair(t);
  const queue = new ClientQueue(socket, limits);
  await fill(queue, socket, 10_000);
  assert.ok(socket.writableLength > 0 && socket.writableLength <= limits.queuedBytes, `${socket.writableLength} bytes`);
  peer.resume();
  while (socket.writableLength > 0) await turn();
  assert.equal(queue.accept(10_000, noShare, 0), "taken");
});

test("ClientQueue never holds more messages than its bound", async (t) => {
  const { socket } = await pair(t);
  const queue = new ClientQueue(socket, limits);
  // What the kernel takes of a stalled connection does not wait with us.
  while (socket.writableLength < 50_000) {
    socket.write(Buffer.alloc(10_000));
    await turn();
  }
  assert.equal(await fill(queue, socket, 10), limits.queuedMessages);
});

test("ClientQueue keeps to its share of what all clients may hold", async (t) => {
  const { socket } = await pair(t);
  const queue = new ClientQueue(socket, limits);
  while (socket.writableLength < 10_000) {
    socket.write(Buffer.alloc(10_000));
    await turn();
  }
  assert.equal(queue.accept(100, 5000, 0), "full");
  assert.equal(queue.accept(100, noShare, 0), "taken");
});

test("ClientQueue calls a client stalled only when it was full and took nothing for the whole time", async (t) => {
  const { socket, peer } = await pair(t);
  const queue = new ClientQueue(socket, limits);
  await fill(queue, socket, 10_000);
  assert.equal(queue.accept(10_000, noShare, 999_000), "full");
  assert.equal(queue.accept(10_000, noShare, 1_001_000), "stalled");
  peer.resume();
  while (socket.writableLength > 0) await turn();
  assert.equal(queue.accept(10_000, noShare, 2_000_000), "taken");
});

test("ClientQueue closes a connection that asks and asks and never reads the answers", async (t) => {
  const { socket } = await pair(t);
  new ClientQueue(socket, limits);
  const closed = once(socket, "close");
  while (!socket.destroyed) {
    socket.write(Buffer.alloc(10_000));
    await turn();
  }
  await closed;
});
