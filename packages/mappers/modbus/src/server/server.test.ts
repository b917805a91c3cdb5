import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { ManualClock, openContext, withDefaults } from "@penstock/mapper-sdk";
import { AppError, type Value, type ValueType } from "@penstock/model";
import fc from "fast-check";
import { addressFields, type ModbusPoint, visitorFields } from "../point.ts";
import { crc16 } from "../rtu-frame.ts";
import { answerRequest } from "./answer.ts";
import { serverFields } from "./fields.ts";
import { Images } from "./images.ts";
import { openServer } from "./open-server.ts";
import { MasterSession } from "./session.ts";

const signal = new AbortController().signal;
const closers: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of closers.toReversed()) await close();
});

async function serve(settings: Record<string, unknown> = {}, transport: "tcp" | "rtu-over-tcp" = "tcp") {
  const clock = new ManualClock();
  const context = openContext({ clock });
  const place = { transport, host: "127.0.0.1", port: 0 };
  const connection = await openServer(place, withDefaults(serverFields, settings), context);
  closers.push(() => connection.close());
  const port = Number(connection.listening.split(":")[1]);
  const show = async (...points: ModbusPoint[]) =>
    (await connection.read(points, { signal })).map(({ value, reason }) => reason ?? value);
  const master = async () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    closers.push(() => void socket.destroy());
    await once(socket, "connect");
    return new Master(socket);
  };
  return {
    connection,
    clock,
    show,
    master,
    write: (point: ModbusPoint, value: Value) => connection.write(point, value, { signal }),
  };
}

/** Writes every byte itself, so that no client of ours can hide a fault. */
class Master {
  readonly socket: Socket;
  #heard: number[] = [];
  #wake = () => {};
  isOver = false;
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#heard.push(...chunk);
      this.#wake();
    });
    socket.on("close", () => {
      this.isOver = true;
      this.#wake();
    });
    socket.on("error", () => {});
  }
  async hear(length: number): Promise<number[]> {
    while (this.#heard.length < length && !this.isOver) await this.change();
    return this.#heard.splice(0, length);
  }
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
  async ask(unit: number, ...pdu: number[]): Promise<number[]> {
    this.socket.write(Uint8Array.of(0, 9, 0, 0, 0, pdu.length + 1, unit, ...pdu));
    const header = await this.hear(7);
    assert.deepEqual([header[0], header[1], header[6]], [0, 9, unit]);
    return this.hear(header[5]! - 1);
  }
}
const rtu = (...bytes: number[]) => [...bytes, crc16(Uint8Array.from(bytes)) & 255, crc16(Uint8Array.from(bytes)) >> 8];

function point(type: ValueType, visitor: Record<string, unknown>, unitId = 1): ModbusPoint {
  const filled = { address: withDefaults(addressFields, { unitId }), visitor: withDefaults(visitorFields, visitor) };
  return { device: "d", property: "p", type, ...filled, custom: {}, deviceCustom: {} };
}

test("a master that only writes is collected, function by function", async () => {
  const { show, master } = await serve();
  const points = [
    point("bool", { table: "coil", offset: 3 }),
    point("bool", { table: "coil", offset: 10 }),
    point("float64", { table: "holding", offset: 0, raw: "int16", scale: 0.1 }),
    point("float32", { table: "holding", offset: 10, wordOrder: "CDAB" }),
    point("bool", { table: "holding", offset: 0, bit: 1 }),
    point("string", { table: "holding", offset: 20, raw: "string", length: 2 }),
    point("uint16", { table: "input", offset: 0 }),
  ];
  assert.deepEqual(
    await show(...points),
    Array.from({ length: 7 }, () => "mapper/never-written"),
  );
  const plc = await master();
  assert.deepEqual(await plc.ask(1, 5, 0, 3, 0xff, 0), [5, 0, 3, 0xff, 0]);
  assert.deepEqual(await plc.ask(1, 15, 0, 4, 0, 9, 2, 0x40, 0x01), [15, 0, 4, 0, 9]);
  assert.deepEqual(await plc.ask(1, 6, 0, 0, 0x00, 0xd7), [6, 0, 0, 0x00, 0xd7]);
  // 21.5 is 41ac 0000, low word first
  assert.deepEqual(await plc.ask(1, 16, 0, 10, 0, 2, 4, 0, 0, 0x41, 0xac), [16, 0, 10, 0, 2]);
  assert.deepEqual(await plc.ask(1, 23, 0, 20, 0, 1, 0, 20, 0, 2, 4, 0x4f, 0x4b, 0x21, 0), [23, 2, 0x4f, 0x4b]);
  assert.deepEqual(await show(...points), [true, true, 21.5, 21.5, true, "OK!", "mapper/never-written"]);
  assert.deepEqual(await plc.ask(1, 22, 0, 0, 0xff, 0x00, 0, 0x28), [22, 0, 0, 0xff, 0x00, 0, 0x28]);
  assert.deepEqual((await show(...points))[2], 4, "00d7 and ff00, or 0028");
  // The specification's own example (6.16): 12 with masks f2 and 25 becomes 17.
  await plc.ask(1, 6, 0, 30, 0, 0x12);
  await plc.ask(1, 22, 0, 30, 0, 0xf2, 0, 0x25);
  assert.deepEqual(await plc.ask(1, 3, 0, 30, 0, 1), [3, 2, 0, 0x17]);
});

test("what is set lies in every table for masters to read, other units apart", async () => {
  const { show, master, write } = await serve();
  await write(point("float32", { table: "input", offset: 100, wordOrder: "ABCD" }), 21.5);
  await write(point("bool", { table: "discrete", offset: 7 }), true);
  await write(point("int64", { table: "holding", offset: 0, raw: "int64", wordOrder: "DCBA" }), -2n);
  await write(point("bool", { table: "holding", offset: 9, bit: 15 }), true);
  await write(point("bool", { table: "coil", offset: 0 }), false);
  const scada = await master();
  assert.deepEqual(await scada.ask(1, 4, 0, 100, 0, 2), [4, 4, 0x41, 0xac, 0, 0]);
  assert.deepEqual(await scada.ask(1, 2, 0, 7, 0, 1), [2, 1, 1]);
  assert.deepEqual(await scada.ask(1, 3, 0, 0, 0, 4), [3, 8, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
  assert.deepEqual(await scada.ask(1, 3, 0, 9, 0, 1), [3, 2, 0x80, 0]);
  assert.deepEqual(await scada.ask(1, 1, 0, 0, 0, 1), [1, 1, 0]);
  assert.deepEqual(await scada.ask(2, 4, 0, 100, 0, 2), [0x84, 2], "unit 2 has nothing there");
  assert.deepEqual(await show(point("float32", { table: "input", offset: 100 })), [21.5], "and it reads back");
  await assert.rejects(write(point("int16", { table: "holding", offset: 0 }), 40_000), {
    code: "mapper/value-out-of-range",
  });
});

test("masters are refused with the exception that the specification names", async () => {
  const { master } = await serve();
  const { ask } = await master().then((m) => ({ ask: m.ask.bind(m) }));
  assert.deepEqual(await ask(1, 43, 14, 1, 0), [0xab, 1], "unknown function");
  assert.deepEqual(await ask(1, 3, 0, 0, 0, 1), [0x83, 2], "never written");
  assert.deepEqual(await ask(1, 3, 0xff, 0xff, 0, 2), [0x83, 2], "past 65535");
  assert.deepEqual(await ask(1, 3, 0, 0, 0, 126), [0x83, 3], "126 registers");
  assert.deepEqual(await ask(1, 1, 0, 0, 7, 209), [0x81, 3], "2001 coils");
  assert.deepEqual(await ask(1, 2, 0, 0, 0, 0), [0x82, 3], "none");
  assert.deepEqual(await ask(1, 5, 0, 0, 1, 0), [0x85, 3], "neither on nor off");
  assert.deepEqual(await ask(1, 16, 0, 0, 0, 2, 3, 0, 1, 0, 2), [0x90, 3], "byte count of a sound length");
  assert.deepEqual(await ask(1, 16, 0, 0, 0, 2, 3, 0, 1, 0), [0x90, 3], "byte count");
  assert.deepEqual(await ask(1, 15, 0xff, 0xff, 0, 2, 1, 3), [0x8f, 2], "coils past 65535");
  assert.deepEqual(await ask(1, 22, 0, 5, 0, 0, 0, 0), [0x96, 2], "mask of what nobody wrote");
  assert.deepEqual(await ask(1, 6, 0, 0, 0), [0x86, 3], "too short");
  // Function 23 whose read is refused has written nothing either.
  assert.deepEqual(await ask(1, 23, 0, 0, 0, 3, 0, 0, 0, 1, 2, 0, 5), [0x97, 2]);
  assert.deepEqual(await ask(1, 3, 0, 0, 0, 1), [0x83, 2]);
});

test("the register image has a bound, and who writes beyond it is told so", () => {
  const images = new Images(2);
  const ask = (...pdu: number[]) => [
    ...answerRequest(images, { unit: 1, pdu: Uint8Array.from(pdu) }, { at: 1, unwritten: "zero" }),
  ];
  assert.deepEqual(ask(6, 0, 0, 0, 1), [6, 0, 0, 0, 1]);
  assert.deepEqual(ask(16, 0, 255, 0, 2, 4, 0, 1, 0, 2), [16, 0, 255, 0, 2]);
  assert.deepEqual(ask(6, 2, 0, 0, 1), [0x86, 4]);
  assert.deepEqual(ask(3, 0, 254, 0, 3), [3, 6, 0, 0, 0, 1, 0, 2], "where nobody wrote is 0 if so wished");
});

test("on a bus only our own units answer, and a broadcast is for all of them", async () => {
  const { show, master } = await serve({}, "rtu-over-tcp");
  const mine = [
    point("uint16", { table: "holding", offset: 1 }, 3),
    point("uint16", { table: "holding", offset: 1 }, 4),
  ];
  await show(...mine);
  const plc = await master();
  plc.socket.write(Uint8Array.from([...rtu(8, 6, 0, 1, 0, 1), ...rtu(0, 6, 0, 1, 0, 77), ...rtu(4, 3, 0, 1, 0, 1)]));
  assert.deepEqual(await plc.hear(7), rtu(4, 3, 2, 0, 77));
  assert.deepEqual(await show(...mine), [77, 77]);
});

test("only the units that the settings name answer, others as behind a gateway", async () => {
  const { master } = await serve({ units: [1, 5] });
  const plc = await master();
  assert.deepEqual(await plc.ask(5, 6, 0, 0, 0, 1), [6, 0, 0, 0, 1]);
  assert.deepEqual(await plc.ask(2, 6, 0, 0, 0, 1), [0x86, 11]);
});

test("what no master has written for too long is stale; what was set here is not", async () => {
  const { show, master, write, clock } = await serve({ staleAfterMs: 5000 });
  const points = [0, 1].map((offset) => point("uint16", { table: "holding", offset }));
  await write(points[1]!, 8);
  const plc = await master();
  await plc.ask(1, 6, 0, 0, 0, 7);
  clock.move(5000);
  assert.deepEqual(await show(...points), [7, 8]);
  clock.move(1);
  assert.deepEqual(await show(...points), ["mapper/timeout", 8]);
});

test("masters beyond the limit are refused, silent ones leave", async () => {
  const { master, clock } = await serve({ maxConnections: 2, idleMs: 10_000 });
  const [first, second] = [await master(), await master()];
  const third = await master();
  await third.hear(1);
  assert.ok(third.isOver);
  clock.move(6000);
  await second.ask(1, 6, 0, 0, 0, 1);
  clock.move(4000);
  await first.hear(1);
  assert.ok(first.isOver && !second.isOver);
  const fourth = await master();
  await fourth.ask(1, 6, 0, 0, 0, 1);
  clock.move(6000);
  await second.hear(1);
  assert.ok(second.isOver && !fourth.isOver, "ten seconds after its last word");
});

test("who asks more than its share waits for the next second, and nothing is lost", async () => {
  const { master, clock } = await serve({ requestsPerSecond: 10 });
  const greedy = await master();
  for (let i = 0; i < 10; i++) await greedy.ask(1, 6, 0, i, 0, 1);
  let isAnswered = false;
  const eleventh = greedy.ask(1, 6, 0, 11, 0, 1).then(() => {
    isAnswered = true;
  });
  const other = await master();
  await other.ask(1, 6, 0, 12, 0, 1);
  assert.equal(isAnswered, false);
  clock.move(1000);
  await eleventh;
});

test("a master that speaks something else is disconnected; the others stay", async () => {
  const { master } = await serve();
  const [good, bad] = [await master(), await master()];
  bad.socket.write("GET / HTTP/1.1\r\n\r\n");
  await bad.hear(1);
  assert.ok(bad.isOver);
  assert.deepEqual(await good.ask(1, 6, 0, 0, 0, 1), [6, 0, 0, 0, 1]);
});

test("close ends masters and calls; an address in use is said at open", async () => {
  const { connection, master } = await serve();
  const plc = await master();
  const [host, port] = connection.listening.split(":") as [string, string];
  const place = { transport: "tcp", host, port: Number(port) } as const;
  const context = openContext();
  await assert.rejects(openServer(place, withDefaults(serverFields, {}), context), { code: "mapper/connect-failed" });
  await connection.close();
  await plc.hear(1);
  assert.ok(plc.isOver);
  await assert.rejects(connection.read([point("bool", { table: "coil", offset: 0 })], { signal }), { code: "aborted" });
  const again = await openServer(place, withDefaults(serverFields, {}), context);
  await again.close();
});

test("answerRequest() answers whatever the bytes are, in its function or with an exception 1 to 4", () => {
  const images = new Images(64);
  const codes = fc.constantFrom(1, 2, 3, 4, 5, 6, 15, 16, 22, 23);
  const small = fc.integer({ min: 0, max: 200 });
  const likely = fc
    .tuple(codes, small, small, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 248 }))
    .map(([code, start, count, rest]) => [code, 0, start, 0, count, ...rest]);
  const any = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 253 });
  fc.assert(
    fc.property(fc.oneof(likely, any), fc.constantFrom("zero", "refuse"), (bytes, unwritten) => {
      const answer = answerRequest(images, { unit: 1, pdu: Uint8Array.from(bytes) }, { at: 1, unwritten });
      assert.ok(answer.length >= 2 && answer.length <= 253);
      if (answer[0] === bytes[0] && bytes[0]! < 0x80) return;
      assert.deepEqual([answer.length, answer[0]], [2, bytes[0]! | 0x80]);
      assert.ok(answer[1]! >= 1 && answer[1]! <= 4);
    }),
    { numRuns: 2000 },
  );
});

test("no bytes in any cut crash a session, hold memory, or stop it from hearing a sound request", () => {
  const noise = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  for (const framing of ["tcp", "rtu", "ascii"] as const) {
    fc.assert(
      fc.property(noise, (chunks) => {
        const clock = new ManualClock();
        const sent: Uint8Array[] = [];
        const session = new MasterSession({
          framing,
          clock,
          answer: (_unit, pdu) => pdu,
          send: (bytes) => sent.push(bytes),
        });
        try {
          for (const chunk of chunks) session.push(chunk);
        } catch (error) {
          // Modbus TCP has no way back into step: the connection ends.
          assert.ok(framing === "tcp" && error instanceof AppError);
          return;
        }
        if (framing === "tcp") return;
        clock.move(1000);
        const before = sent.length;
        session.push(Uint8Array.from(framing === "rtu" ? rtu(1, 6, 0, 0, 0, 1) : Buffer.from(":010600000001F8\r\n")));
        assert.equal(sent.length, before + 1);
      }),
      { numRuns: 300 },
    );
  }
});
