import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { ModbusServer, type ModbusServerOptions } from "./modbus-server.ts";
import { MemoryUnit } from "./unit.ts";

const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers) await close();
});

/** A bare socket: the test writes every byte itself, so that no client can hide a fault of the server. */
async function setUp(options: Partial<ModbusServerOptions> = {}) {
  const unit = new MemoryUnit({ coil: 16, discrete: 16, holding: 32, input: 32 });
  const server = await ModbusServer.listen({ units: new Map([[1, unit]]), ...options });
  const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  closers.push(async () => {
    socket.destroy();
    await server.close();
  });
  return { unit, server, socket };
}

function receive(socket: Socket, length: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const bytes: number[] = [];
    const onData = (chunk: Uint8Array) => {
      bytes.push(...chunk);
      if (bytes.length >= length) {
        socket.off("data", onData);
        resolve(bytes);
      }
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error(`Closed after ${bytes.length} of ${length} bytes`)));
  });
}

async function ask(socket: Socket, pdu: number[], answerLength: number, transaction = 7): Promise<number[]> {
  socket.write(Uint8Array.of(0, transaction, 0, 0, 0, pdu.length + 1, 1, ...pdu));
  const bytes = await receive(socket, 7 + answerLength);
  assert.deepEqual(bytes.slice(0, 7), [0, transaction, 0, 0, 0, answerLength + 1, 1]);
  return bytes.slice(7);
}

test("ModbusServer answers all eight functions byte for byte", async () => {
  const { unit, server, socket } = await setUp();
  unit.holding.set([0x1234, 0xabcd], 4);
  unit.input[0] = 0xfffe;
  unit.coil[3] = true;
  unit.discrete[8] = true;
  assert.deepEqual(await ask(socket, [3, 0, 4, 0, 2], 6), [3, 4, 0x12, 0x34, 0xab, 0xcd]);
  assert.deepEqual(await ask(socket, [4, 0, 0, 0, 1], 4), [4, 2, 0xff, 0xfe]);
  assert.deepEqual(await ask(socket, [1, 0, 0, 0, 4], 3), [1, 1, 0b1000]);
  assert.deepEqual(await ask(socket, [2, 0, 0, 0, 9], 4), [2, 2, 0, 1]);
  assert.deepEqual(await ask(socket, [5, 0, 1, 0xff, 0], 5), [5, 0, 1, 0xff, 0]);
  assert.deepEqual(await ask(socket, [6, 0, 9, 0x01, 0x02], 5), [6, 0, 9, 0x01, 0x02]);
  assert.deepEqual(await ask(socket, [15, 0, 4, 0, 9, 2, 0b101, 1], 5), [15, 0, 4, 0, 9]);
  assert.deepEqual(await ask(socket, [16, 0, 10, 0, 2, 4, 0, 1, 0, 2], 5), [16, 0, 10, 0, 2]);
  assert.deepEqual([...unit.holding.subarray(9, 12)], [0x0102, 1, 2]);
  assert.deepEqual(
    unit.coil.flatMap((bit, i) => (bit ? [i] : [])),
    [1, 3, 4, 6, 12],
  );
  assert.equal(server.stats.answeredReads, 4);
  assert.equal(server.stats.registersRead, 3);
  assert.equal(server.stats.bitsRead, 13);
  assert.equal(server.stats.answeredWrites, 4);
});

test("ModbusServer refuses with the exception code that the specification names", async () => {
  const { server, socket } = await setUp({
    hook: ({ transaction }) => (transaction === 99 ? { kind: "exception", exception: "deviceBusy" } : null),
  });
  assert.deepEqual(await ask(socket, [43, 14], 2), [0xab, 1], "unknown function");
  assert.deepEqual(await ask(socket, [3, 0, 31, 0, 2], 2), [0x83, 2], "past the table");
  assert.deepEqual(await ask(socket, [3, 0xff, 0xff, 0, 2], 2), [0x83, 2], "past 65535");
  assert.deepEqual(await ask(socket, [3, 0, 0, 0, 126], 2), [0x83, 3], "126 registers");
  assert.deepEqual(await ask(socket, [1, 0, 0, 0, 0], 2), [0x81, 3], "no coils");
  assert.deepEqual(await ask(socket, [5, 0, 0, 0x12, 0], 2), [0x85, 3], "coil neither on nor off");
  assert.deepEqual(await ask(socket, [16, 0, 0, 0, 2, 3, 0, 1, 0], 2), [0x90, 3], "byte count");
  assert.deepEqual(await ask(socket, [3, 0, 0, 0, 1], 2, 99), [0x83, 6], "busy");
  socket.write(Uint8Array.of(0, 1, 0, 0, 0, 6, 9, 3, 0, 0, 0, 1));
  assert.deepEqual(await receive(socket, 9), [0, 1, 0, 0, 0, 3, 9, 0x83, 11], "no such unit behind the gateway");
  assert.equal(server.stats.exceptions, 9);
  assert.equal(server.stats.answeredReads, 0);
});

test("ModbusServer answers pipelined requests in order, a delayed one holding the later ones", async () => {
  const timers: (() => void)[] = [];
  const { unit, server, socket } = await setUp({
    hook: ({ transaction }) => (transaction === 2 ? { kind: "delay", delayMs: 50 } : null),
    clock: {
      monotonic: () => 0,
      after: (_delayMs, run) => {
        timers.push(run);
        return () => {};
      },
    },
  });
  unit.holding.set([10, 11, 12, 13]);
  const frames = [1, 2, 3, 4].flatMap((n) => [0, n, 0, 0, 0, 6, 1, 3, 0, n - 1, 0, 1]);
  // Cut in the middle of the second frame: the stream has no edges.
  socket.write(Uint8Array.from(frames.slice(0, 17)));
  assert.deepEqual(await receive(socket, 11), [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 10]);
  socket.write(Uint8Array.from(frames.slice(17, 36)));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  while (timers.length === 0) await turn();
  // The rest comes while the second one waits: it must not be answered first.
  const early: Uint8Array[] = [];
  const onEarly = (chunk: Uint8Array) => early.push(chunk);
  socket.on("data", onEarly);
  socket.write(Uint8Array.from(frames.slice(36)));
  for (let i = 0; i < 50; i++) await turn();
  socket.off("data", onEarly);
  assert.deepEqual(early, []);
  assert.equal(server.stats.answeredReads, 1);
  timers[0]!();
  const rest = await receive(socket, 33);
  assert.deepEqual(
    [rest[1], rest[10], rest[12], rest[21], rest[23], rest[32]],
    [2, 11, 3, 12, 4, 13],
    "transaction and value of the three later answers",
  );
});

test("ModbusServer spoils answers as told: wrong transaction, half, garbage, drop, close", async () => {
  const treatments = [
    { kind: "wrong-transaction" },
    { kind: "drop" },
    { kind: "garbage", bytes: Uint8Array.of(9, 9, 9) },
    { kind: "half" },
    { kind: "close" },
  ] as const;
  const { unit, server, socket } = await setUp({ hook: ({ transaction }) => treatments[transaction - 1] ?? null });
  socket.write(Uint8Array.of(0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1));
  assert.deepEqual((await receive(socket, 11)).slice(0, 2), [0x55, 0x56]);
  // A dropped write has taken effect: only its answer is lost.
  socket.write(Uint8Array.of(0, 2, 0, 0, 0, 6, 1, 6, 0, 0, 0, 77));
  socket.write(Uint8Array.of(0, 3, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1));
  assert.deepEqual(await receive(socket, 3), [9, 9, 9]);
  assert.equal(unit.holding[0], 77);
  socket.write(Uint8Array.of(0, 4, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1));
  assert.deepEqual(await receive(socket, 5), [0, 4, 0, 0, 0]);
  socket.write(Uint8Array.of(0, 5, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1));
  await assert.rejects(receive(socket, 1), /Closed after 0/);
  assert.equal(server.stats.answeredReads, 0);
  assert.equal(server.stats.spoilt, 5);
});

test("ModbusServer closes a connection that does not speak Modbus TCP", async () => {
  const { server, socket } = await setUp();
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await assert.rejects(receive(socket, 1), /Closed after 0/);
  assert.equal(server.stats.requests, 0);
});
