import assert from "node:assert/strict";
import { constants, openSync } from "node:fs";
import { connect } from "node:net";
import { after, test } from "node:test";
import { ReadStream } from "node:tty";
import fc from "fast-check";
import { needs } from "../needs.ts";
import { AsciiSplitter, encodeAscii } from "./ascii.ts";
import { ModbusServer } from "./modbus-server.ts";
import { PacedWire } from "./paced-wire.ts";
import { openPtyPair } from "./pty-pair.ts";
import { crc16, encodeRtu, RtuSplitter } from "./rtu.ts";
import { ModbusSerialServer, type ModbusSerialServerOptions } from "./serial-server.ts";
import { SparseUnit, withHoles } from "./sparse-unit.ts";
import { MemoryUnit } from "./unit.ts";

const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers.toReversed()) await close();
});

/** A bus and a bare terminal at its other end: the test writes every byte itself. */
async function bus(options: Partial<ModbusSerialServerOptions> = {}) {
  const pair = await openPtyPair();
  closers.push(pair.close);
  const unit = new MemoryUnit({ coil: 16, holding: 32 });
  const server = new ModbusSerialServer({ path: pair.a, units: new Map([[1, unit]]), ...options });
  const master = new ReadStream(openSync(pair.b, constants.O_RDWR | constants.O_NOCTTY));
  closers.push(async () => {
    master.destroy();
    await server.close();
  });
  let heard: number[] = [];
  let wake = () => {};
  master.on("data", (chunk) => {
    heard.push(...chunk);
    wake();
  });
  const hear = async (length: number) => {
    while (heard.length < length) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const bytes = heard;
    heard = [];
    return bytes;
  };
  return { unit, server, hear, say: (...bytes: number[]) => master.write(Uint8Array.from(bytes)) };
}
const rtu = (unit: number, ...pdu: number[]) => [...encodeRtu({ transaction: 0, unit, pdu: Uint8Array.from(pdu) })];
const ascii = (unit: number, ...pdu: number[]) => [...encodeAscii({ transaction: 0, unit, pdu: Uint8Array.from(pdu) })];

test("ModbusSerialServer speaks RTU on a pseudo-terminal, byte for byte", needs("socat"), async () => {
  const { unit, server, say, hear } = await bus({ keepRequests: 2 });
  unit.holding.set([0x1234, 0xabcd], 4);
  // unit 1, function 3, from 4, 2 registers, CRC low byte first
  say(0x01, 0x03, 0x00, 0x04, 0x00, 0x02, 0x85, 0xca);
  assert.deepEqual(await hear(9), rtu(1, 3, 4, 0x12, 0x34, 0xab, 0xcd));
  say(...rtu(1, 22, 0, 4, 0x00, 0xf2, 0x00, 0x25));
  assert.deepEqual(await hear(10), rtu(1, 22, 0, 4, 0x00, 0xf2, 0x00, 0x25));
  assert.equal(unit.holding[4], 0x35, "(1234 and 00f2) or (0025 and not 00f2)");
  say(...rtu(1, 23, 0, 9, 0, 2, 0, 10, 0, 1, 2, 0xbe, 0xef));
  assert.deepEqual(await hear(9), rtu(1, 23, 4, 0, 0, 0xbe, 0xef), "the write comes before the read");
  assert.deepEqual(
    [server.stats.requestsTo(1), server.stats.requestsTo(1, 23), server.stats.seen.map((seen) => seen.function)],
    [3, 1, [22, 23]],
  );
});

test("ModbusSerialServer leaves bad checksums, foreign and dead units unanswered", needs("socat"), async () => {
  let onSilence = () => {};
  const after = (_delayMs: number, run: () => void) => {
    onSilence = run;
    return () => {};
  };
  const { unit, server, say, hear } = await bus({ dead: new Set([2]), clock: { monotonic: () => 0, after } });
  const question = rtu(1, 3, 0, 0, 0, 1);
  say(...question.slice(0, -1), question.at(-1)! ^ 1);
  while (server.stats.badFrames === 0) await new Promise((resolve) => setImmediate(resolve));
  // What follows at once belongs to the broken frame; after a silence the line is sound again.
  onSilence();
  say(...rtu(9, 3, 0, 0, 0, 1), ...rtu(2, 3, 0, 0, 0, 1), ...rtu(0, 6, 0, 3, 0, 77), ...rtu(1, 3, 0, 3, 0, 1));
  assert.deepEqual(await hear(7), rtu(1, 3, 2, 0, 77), "only the last has an answer; the broadcast took effect");
  assert.equal(unit.holding[3], 77);
  assert.deepEqual([server.stats.badFrames, server.stats.unanswered, server.stats.requests], [1, 3, 4]);
});

test("ModbusSerialServer speaks ASCII", needs("socat"), async () => {
  const { unit, say, hear } = await bus({ framing: "ascii" });
  unit.holding[4] = 0x1234;
  const text = (bytes: readonly number[]) => String.fromCharCode(...bytes);
  say(...Buffer.from("noise:010300040001F7\r\n"));
  assert.equal(text(await hear(15)), ":0103021234B4\r\n");
  say(...ascii(1, 3, 0, 40, 0, 1));
  assert.equal(text(await hear(11)), ":0183027A\r\n");
});

test("a paced line takes its real time both ways, and no less for many", needs("socat"), async () => {
  const { say, hear, server } = await bus({ pace: { baud: 9600, turnaroundMs: 5 } });
  const begun = performance.now();
  say(...rtu(1, 3, 0, 0, 0, 20));
  await hear(45);
  const tookMs = performance.now() - begun;
  // 8 bytes there, 45 back, 11 bits each at 9600 baud: 60.7 ms, and 5 ms of thought.
  assert.ok(tookMs >= 65 && tookMs < 1000, `${tookMs} ms`);
  assert.equal(Math.round(server.wire!.busyMicros), Math.round((53 * 11 * 1e6) / 9600));
});

test("PacedWire delivers each byte when its time has come", () => {
  let micros = 0;
  let timer: { at: number; run: () => void } | null = null;
  const clock = {
    monotonic: () => micros,
    after: (delayMs: number, run: () => void) => {
      timer = { at: micros + delayMs * 1000, run };
      return () => {
        timer = null;
      };
    },
  };
  const wire = new PacedWire({ baud: 11_000, turnaroundMs: 3 }, clock); // 1 ms a byte
  assert.equal(wire.received(8), 11);
  micros += 11_000;
  const heard: [number, number][] = [];
  let isSent = false;
  wire.send(
    Uint8Array.of(1, 2, 3),
    (part) => heard.push([micros / 1000, part.length]),
    () => {
      isSent = true;
    },
  );
  while (timer !== null) {
    const { at, run }: { at: number; run: () => void } = timer;
    timer = null;
    micros = at;
    run();
  }
  assert.deepEqual(heard, [
    [12, 1],
    [13, 1],
    [14, 1],
  ]);
  assert.ok(isSent);
});

test("ModbusServer carries RTU frames over TCP", async () => {
  const unit = new MemoryUnit({ holding: 4 });
  unit.holding[1] = 7;
  const server = await ModbusServer.listen({ units: new Map([[1, unit]]), framing: "rtu" });
  const socket = connect(server.port, "127.0.0.1");
  closers.push(async () => {
    socket.destroy();
    await server.close();
  });
  const answer = new Promise<number[]>((resolve) => socket.once("data", (chunk: Buffer) => resolve([...chunk])));
  socket.write(Uint8Array.from([...rtu(8, 3, 0, 0, 0, 1), ...rtu(1, 3, 0, 1, 0, 1)]));
  assert.deepEqual(await answer, rtu(1, 3, 2, 0, 7), "unit 8 is nobody and says nothing");
});

test("SparseUnit refuses what touches a hole, and nothing else", () => {
  const exists = withHoles(5, 7);
  const unit = new SparseUnit({ holding: 10_000 }, exists);
  let holes = 0;
  for (let at = 0; at < 10_000; at++) if (!exists("holding", at)) holes++;
  assert.ok(holes > 420 && holes < 580, `${holes} of 10,000`);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_875 }), fc.integer({ min: 1, max: 125 }), (start, count) => {
      const isWhole = Array.from({ length: count }, (_, i) => exists("holding", start + i)).every(Boolean);
      if (isWhole) assert.equal(unit.readRegisters("holding", start, count).length, count);
      else assert.throws(() => unit.readRegisters("holding", start, count), { exception: "illegalDataAddress" });
    }),
  );
});

test("splitters find every frame however the stream is cut, and nothing in random bytes", () => {
  const pdus = fc.oneof(
    fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6), fc.uint8Array({ minLength: 4, maxLength: 4 })),
    fc.tuple(fc.constant(22), fc.uint8Array({ minLength: 6, maxLength: 6 })),
  );
  const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), pdus), { maxLength: 6 });
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (given, cuts) => {
      const sent = given.map(([unit, [code, data]]) => ({ unit, pdu: Uint8Array.of(code, ...data) }));
      for (const { splitter, encode } of [
        { splitter: new RtuSplitter(), encode: encodeRtu },
        { splitter: new AsciiSplitter(), encode: encodeAscii },
      ]) {
        const bytes = sent.flatMap((frame) => [...encode({ transaction: 0, ...frame })]);
        const found: unknown[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const cut = cuts[i % cuts.length]!;
          found.push(
            ...splitter.push(Uint8Array.from(bytes.slice(at, at + cut))).map(({ unit, pdu }) => ({ unit, pdu })),
          );
          at += cut;
        }
        assert.deepEqual(found, sent);
      }
    }),
  );
  assert.equal(crc16(new TextEncoder().encode("123456789")), 0x4b37, "the check value of CRC-16/MODBUS");
});
