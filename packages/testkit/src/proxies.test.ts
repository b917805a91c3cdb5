import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { CountingProxy } from "./counting-proxy.ts";
import { LinkProxy } from "./link-proxy.ts";
import { encodeFrame, FrameSplitter, MemoryUnit, ModbusServer } from "./modbus-server/index.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function until(done: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000;
  while (!done()) {
    assert.ok(performance.now() < end, `Never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A server that notes what it hears, behind a proxy, and a way to connect and note what comes back. */
async function setUp() {
  const sockets: Socket[] = [];
  const far = { heard: "", isClosed: false };
  const server = createServer((socket) => {
    sockets.push(socket);
    far.isClosed = false;
    socket.on("data", (chunk) => {
      far.heard += String(chunk);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      far.isClosed = true;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const target = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const proxy = await LinkProxy.listen({ target });
  closers.push(
    () => server.close(),
    () => {
      for (const socket of sockets) socket.destroy();
    },
    () => proxy.close(),
  );
  const dial = async () => {
    const socket = connect(proxy.port, "127.0.0.1");
    const near = { socket, heard: "", error: "", isClosed: false };
    socket.on("data", (chunk) => {
      near.heard += String(chunk);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      near.error = error.code ?? "";
    });
    socket.on("close", () => {
      near.isClosed = true;
    });
    closers.push(() => socket.destroy());
    await until(() => !socket.connecting, "connect");
    return near;
  };
  return { proxy, far, dial, lastSocket: () => sockets[sockets.length - 1]!, accepted: () => sockets.length };
}

test("LinkProxy passes bytes both ways, counts them, and passes an end", async () => {
  const { proxy, far, dial, lastSocket } = await setUp();
  const near = await dial();
  near.socket.write("hello");
  await until(() => far.heard === "hello", "bytes up");
  lastSocket().write("and back");
  await until(() => near.heard === "and back", "bytes down");
  assert.deepEqual([proxy.bytesUp, proxy.bytesDown, proxy.connections], [5, 8, 1]);
  near.socket.end();
  await until(() => far.isClosed, "the end reaches the server");
  await until(() => proxy.openConnections === 0, "nothing is left");
});

test("LinkProxy cut resets both ends and every new one until resume", async () => {
  const { proxy, far, dial, accepted } = await setUp();
  const near = await dial();
  await until(() => accepted() === 1, "accepted");
  proxy.set({ kind: "cut" });
  await until(() => near.isClosed && far.isClosed, "both ends closed");
  assert.equal(near.error, "ECONNRESET");
  const refused = await dial();
  await until(() => refused.isClosed, "a new one is reset");
  assert.equal(accepted(), 1);
  proxy.resume();
  const again = await dial();
  again.socket.write("back");
  await until(() => far.heard === "back", "a new connection works");
});

test("LinkProxy half-open swallows bytes and ends, and its connections stay dead", async () => {
  const { proxy, far, dial, lastSocket, accepted } = await setUp();
  const near = await dial();
  await until(() => accepted() === 1, "accepted");
  proxy.set({ kind: "half-open" });
  near.socket.write("lost");
  lastSocket().write("lost too");
  const during = await dial();
  during.socket.write("lost as well");
  await until(() => near.socket.bytesWritten === 4, "written");
  proxy.resume();
  near.socket.write("still lost");
  const after = await dial();
  after.socket.write("arrives");
  await until(() => far.heard === "arrives", "only the new connection's bytes");
  near.socket.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(far.isClosed, false, "the server is not told");
  assert.equal(near.heard, "");
});

test("LinkProxy stalled keeps every byte until resume", async () => {
  const { proxy, far, dial } = await setUp();
  const near = await dial();
  near.socket.write("a");
  await until(() => far.heard === "a", "before");
  proxy.set({ kind: "stalled" });
  near.socket.write("b".repeat(1_000_000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(far.heard, "a");
  near.socket.end("c");
  proxy.resume();
  await until(() => far.isClosed, "the end comes last");
  assert.equal(far.heard, `a${"b".repeat(1_000_000)}c`);
});

test("LinkProxy slow passes at its rate, both connections and bytes whole", async () => {
  const { proxy, far, dial } = await setUp();
  const near = await dial();
  proxy.set({ kind: "slow", bytesPerSecond: 100_000 });
  const text = Array.from({ length: 2500 }, (_, i) => String(i).padStart(8, ".")).join("");
  const started = performance.now();
  near.socket.write(text);
  await until(() => far.heard.length === text.length, "all of it");
  const tookMs = performance.now() - started;
  assert.equal(far.heard, text);
  assert.ok(tookMs > 150 && tookMs < 1500, `20,000 bytes at 100,000/s took ${tookMs} ms`);
});

test("CountingProxy notes requests and answers and changes nothing", async () => {
  const unit = new MemoryUnit({ holding: 10, coil: 16 });
  unit.holding[3] = 42;
  const server = await ModbusServer.listen({ units: new Map([[1, unit]]) });
  const proxy = await CountingProxy.listen({ host: "127.0.0.1", port: server.port });
  const socket = connect(proxy.port, "127.0.0.1");
  closers.push(
    () => server.close(),
    () => proxy.close(),
    () => socket.destroy(),
  );
  const splitter = new FrameSplitter();
  const answers: number[][] = [];
  socket.on("data", (chunk) => answers.push(...splitter.push(chunk).map((frame) => [frame.transaction, ...frame.pdu])));
  const pdus = [
    [3, 0, 3, 0, 1],
    [6, 0, 4, 0, 9],
    [1, 0, 0, 0, 9],
    [4, 0, 0, 0, 1],
    [43, 14, 1, 0],
  ];
  for (const [i, pdu] of pdus.entries()) {
    socket.write(encodeFrame({ transaction: 100 + i, unit: 1, pdu: Uint8Array.from(pdu) }));
  }
  await until(() => answers.length === pdus.length, "all answers");
  assert.deepEqual(answers[0], [100, 3, 2, 0, 42]);
  assert.deepEqual(
    proxy.requests.map((seen) => [
      seen.connection,
      seen.transaction,
      seen.unit,
      seen.function,
      seen.start,
      seen.quantity,
    ]),
    [
      [1, 100, 1, 3, 3, 1],
      [1, 101, 1, 6, 4, 1],
      [1, 102, 1, 1, 0, 9],
      [1, 103, 1, 4, 0, 1],
      [1, 104, 1, 43, null, null],
    ],
  );
  assert.deepEqual(
    proxy.answers.map((seen) => [seen.transaction, seen.function, seen.exception, seen.length]),
    [
      [100, 3, null, 1],
      [101, 6, null, null],
      [102, 1, null, 2],
      [103, 4, 2, null],
      [104, 43, 1, null],
    ],
  );
  assert.ok(proxy.mostInFlight >= 1);
  proxy.reset();
  assert.equal(proxy.requests.length, 0);
});
