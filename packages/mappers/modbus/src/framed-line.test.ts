import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@penstock/mapper-sdk";
import { AppError, codeOf } from "@penstock/model";
import fc from "fast-check";
import { FakePort } from "../test/fake-port.ts";
import { networkTiming, serialTiming } from "./byte-port.ts";
import { FramedLine } from "./framed-line.ts";
import { asciiFraming, rtuFraming } from "./framing.ts";
import type { Answer } from "./line.ts";
import { OwedAnswers } from "./owed-answers.ts";
import { encodeRtu } from "./rtu-frame.ts";

const signal = new AbortController().signal;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const turns = async (count = 4) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

interface StageOptions {
  readonly isNetwork?: boolean;
  readonly isAscii?: boolean;
  readonly owed?: OwedAnswers;
  readonly clock?: ManualClock;
  readonly baud?: number;
}
function stage(options: StageOptions = {}) {
  const { isNetwork = false, isAscii = false, owed = new OwedAnswers(), clock = new ManualClock() } = options;
  const port = new FakePort(clock);
  const ended: string[] = [];
  const framing = isAscii ? asciiFraming() : rtuFraming();
  const serial = { baud: options.baud ?? 9600, dataBits: 8, parity: "even", stopBits: 1 };
  const timing = isNetwork ? networkTiming : serialTiming(serial);
  const line = new FramedLine({ name: "bus", port, framing, timing, clock, log, isNetwork, owed }, (error) =>
    ended.push(error.code),
  );
  /** reads one register, and tells its value or why there is none */
  const read = (unit: number, address: number, quantity = 1) =>
    outcome(line.ask({ unit, pdu: Uint8Array.of(3, 0, address, 0, quantity), timeoutMs: 1000, signal }));
  const write = (unit: number, address: number) =>
    outcome(line.ask({ unit, pdu: Uint8Array.of(6, 0, address, 0, 9), timeoutMs: 1000, signal }));
  return { clock, port, line, ended, read, write };
}
const outcome = (answer: Promise<Answer>): Promise<string> =>
  answer.then(({ pdu }) => Buffer.from(pdu).toString("hex"), codeOf);
const words = (unit: number, ...values: number[]) =>
  encodeRtu({ unit, pdu: Uint8Array.of(3, values.length, ...values) });
const asked = (port: FakePort) => port.sent.map(({ bytes }) => Buffer.from(bytes.subarray(0, -2)).toString("hex"));

test("one question is out at a time, and 3.5 characters of silence stand between an answer and the next", async () => {
  const { clock, port, read } = stage();
  const all = [read(1, 0), read(2, 0)];
  assert.equal(port.sent.length, 1);
  clock.move(100);
  port.say(words(1, 0, 11));
  const answeredAt = clock.monotonic();
  clock.move(100);
  assert.equal(port.sent.length, 2);
  // eleven bits a character at 9600 baud: 4010 µs
  assert.ok(port.sent[1]!.at - answeredAt >= 4010, `${port.sent[1]!.at - answeredAt} µs`);
  assert.ok(port.sent[1]!.at - answeredAt <= 6000);
  port.say(words(2, 0, 22));
  assert.deepEqual(await Promise.all(all), ["0302000b", "03020016"]);
});

test("pauseMs lengthens the silence", async () => {
  const { clock, port, line, read } = stage();
  line.conduct = { inFlight: 1, pauseMs: 50, retries: 0 };
  const all = [read(1, 0), read(1, 1)];
  port.say(words(1, 0, 11));
  clock.move(49);
  assert.equal(port.sent.length, 1);
  clock.move(1);
  assert.equal(port.sent.length, 2);
  port.say(words(1, 0, 12));
  assert.deepEqual(await Promise.all(all), ["0302000b", "0302000c"]);
});

test("a frame in pieces, behind garbage, is one answer", async () => {
  const { clock, port, read } = stage();
  const answer = read(1, 0);
  const frame = Buffer.concat([Uint8Array.of(0xff, 0x00, 0x01), words(1, 0x12, 0x34)]);
  for (const byte of frame) {
    port.say(Uint8Array.of(byte));
    clock.move(16); // an adapter's latency
  }
  assert.equal(await answer, "03021234");
});

test("a broken frame ends its question as soon as the line is silent, and is asked again as retries say", async () => {
  const { clock, port, line, read } = stage();
  const broken = words(1, 0, 11);
  broken[3]! ^= 1;
  const first = read(1, 0);
  port.say(broken);
  clock.move(200);
  assert.equal(await first, "mapper/bad-answer");
  line.conduct = { inFlight: 1, pauseMs: 0, retries: 1 };
  const second = read(2, 0);
  clock.move(100);
  port.say(Uint8Array.from(broken, (byte, at) => (at === 0 ? 2 : byte)));
  clock.move(200);
  // An answer may still come, so a probe goes before the question.
  port.say(words(2, 0, 0, 0, 0));
  clock.move(200);
  port.say(words(2, 0, 11));
  assert.equal(await second, "0302000b");
});

test("a late answer is discarded, and the line must be silent before the next question", async () => {
  const { clock, port, line, read } = stage();
  const first = read(1, 0);
  clock.move(1100);
  assert.equal(await first, "mapper/timeout");
  port.say(words(1, 0, 11));
  const lateAt = clock.monotonic();
  assert.equal(line.discarded, 1);
  const second = read(2, 0);
  clock.move(100);
  assert.ok(port.sent[1]!.at - lateAt >= 20_000);
  port.say(words(2, 0, 22));
  assert.equal(await second, "03020016");
});

test("an answer later than the next question to its unit is not taken for that one's", async () => {
  const { clock, port, read } = stage();
  const first = read(1, 0);
  clock.move(1100);
  assert.equal(await first, "mapper/timeout");
  const second = read(1, 7);
  clock.move(100);
  assert.deepEqual(asked(port), ["010300000001", "010300070002"], "a probe of two registers");
  port.say(words(1, 0, 11)); // of register 0
  port.say(words(1, 0, 77, 0, 78)); // of the probe
  clock.move(100);
  assert.equal(asked(port)[2], "010300070001");
  port.say(words(1, 0, 77));
  assert.equal(await second, "0302004d");
  const third = read(1, 8);
  clock.move(100);
  assert.equal(port.sent.length, 4, "nothing is owed any more");
  port.say(words(1, 0, 88));
  assert.equal(await third, "03020058");
});

test("a refusal that may be an old one is not believed", async () => {
  const { clock, port, read } = stage();
  const refusal = encodeRtu({ unit: 1, pdu: Uint8Array.of(0x83, 2) });
  const first = read(1, 0);
  clock.move(1100);
  assert.equal(await first, "mapper/timeout");
  const second = read(1, 7, 2); // told apart by its length, so no probe
  clock.move(100);
  port.say(refusal);
  assert.equal(await second, "mapper/bad-answer");
  clock.move(20_000);
  const third = read(1, 7, 2);
  clock.move(100);
  port.say(refusal);
  assert.equal(await third, "8302", "nothing so old comes any more");
});

test("a write waits for the question in flight only", async () => {
  const { clock, port, read, write } = stage();
  const all = [read(1, 0), read(2, 0), read(3, 0)];
  const written = write(4, 5);
  port.say(words(1, 0, 1));
  clock.move(10);
  assert.equal(asked(port)[1], "040600050009");
  port.say(encodeRtu({ unit: 4, pdu: Uint8Array.of(6, 0, 5, 0, 9) }));
  assert.equal(await written, "0600050009");
  clock.move(10);
  port.say(words(2, 0, 2));
  clock.move(10);
  port.say(words(3, 0, 3));
  await Promise.all(all);
});

test("a write to unit 0 needs no answer and leaves all units their time; a read of it is refused", async () => {
  const { clock, port, read, write } = stage();
  const written = write(0, 5);
  const next = read(1, 0);
  const began = clock.monotonic();
  assert.equal(await read(0, 0), "mapper/unsupported");
  clock.move(200);
  assert.equal(await written, "0600050009");
  assert.ok(port.sent[1]!.at - began >= 100_000);
  port.say(words(1, 0, 1));
  await next;
});

test("a line on which somebody babbles is asked all the same", async () => {
  const { clock, port, read } = stage();
  for (let i = 0; i < 600; i++) port.say(Uint8Array.of(0xff), 1 + i * 3);
  clock.move(1);
  const answer = read(1, 0);
  clock.move(1010);
  assert.equal(port.sent.length, 1);
  port.say(words(1, 0, 1));
  assert.equal(await answer, "03020001");
});

test("a wait that was called off does not shorten the next one", async () => {
  const { clock, port, line, read } = stage();
  port.say(Uint8Array.of(0xff));
  const abort = new AbortController();
  const pdu = Uint8Array.of(3, 0, 0, 0, 1);
  const gone = outcome(line.ask({ unit: 1, pdu, timeoutMs: 1000, signal: abort.signal }));
  abort.abort();
  clock.move(5000);
  assert.equal(await gone, "aborted");
  clock.move(5000);
  port.say(Uint8Array.of(0xff));
  const answer = read(1, 0);
  clock.move(19);
  assert.equal(port.sent.length, 0, "the line must be silent first");
  clock.move(10);
  assert.equal(port.sent.length, 1);
  port.say(words(1, 0, 1));
  await answer;
});

test("the time that bytes take on a slow wire is not the unit's", async () => {
  const { clock, port, line } = stage({ baud: 1200 });
  const pdu = Uint8Array.of(3, 0, 0, 0, 125);
  const answer = outcome(line.ask({ unit: 1, pdu, timeoutMs: 1000, signal }));
  const frame = words(1, ...new Array<number>(250).fill(7));
  // 8 bytes there and 255 back, eleven bits each: 2.4 s, and the unit thinks for 0.9 s
  for (const [i, byte] of frame.entries()) port.say(Uint8Array.of(byte), Math.round(973 + (i + 1) * 9.17));
  clock.move(3500);
  assert.equal((await answer).length, 504);
});

test("a vanished port ends all that waits, and what is asked later", async () => {
  const { port, ended, read } = stage();
  const all = [read(1, 0), read(1, 1)];
  port.vanish();
  assert.deepEqual(await Promise.all(all), ["mapper/connection-lost", "mapper/connection-lost"]);
  assert.equal(await read(1, 0), "mapper/connection-lost");
  assert.deepEqual(ended, ["mapper/connection-lost"]);
  assert.ok(port.isClosed);
});

test("what was out when a line ended is not taken for an answer on the next one to the same place", async () => {
  const owed = new OwedAnswers();
  const before = stage({ owed });
  const lost = before.read(1, 0);
  before.port.vanish();
  assert.equal(await lost, "mapper/connection-lost");
  const { clock, port, read } = stage({ owed, clock: before.clock });
  const answer = read(1, 7);
  assert.deepEqual(asked(port), ["010300070002"], "a probe");
  port.say(words(1, 0, 11));
  port.say(words(1, 0, 77, 0, 78));
  clock.move(100);
  port.say(words(1, 0, 77));
  assert.equal(await answer, "0302004d");
});

test("three time-outs in silence end a network line, and never a serial one", async () => {
  for (const isNetwork of [true, false]) {
    const { clock, ended, read } = stage({ isNetwork });
    for (let i = 0; i < 3; i++) {
      const answer = read(1, 0);
      clock.move(1200);
      assert.equal(await answer, "mapper/timeout");
    }
    assert.deepEqual(ended, isNetwork ? ["mapper/connection-lost"] : []);
  }
});

/** what a unit does with one request; every delay is shorter than the time for which a late answer is expected */
const deed = fc.record({
  delayMs: fc.oneof(
    { weight: 3, arbitrary: fc.nat(900) },
    { weight: 2, arbitrary: fc.integer({ min: 900, max: 4000 }) },
  ),
  kind: fc.constantFrom("answers", "answers", "answers", "refuses", "breaks", "drops", "says it twice"),
});

test("whatever units do, no question ever gets another one's answer", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(deed, { minLength: 40, maxLength: 40 }),
      fc.array(
        fc.record({
          unit: fc.integer({ min: 1, max: 2 }),
          address: fc.nat(200),
          quantity: fc.integer({ min: 1, max: 3 }),
        }),
        {
          minLength: 12,
          maxLength: 12,
        },
      ),
      fc.boolean(),
      fc.nat(2),
      async (deeds, questions, isAscii, retries) => {
        const { clock, port, line } = stage({ isAscii });
        line.conduct = { inFlight: 1, pauseMs: 0, retries };
        const encode = isAscii ? asciiFraming().encode : encodeRtu;
        let nth = 0;
        // A unit answers in order: it begins with a request when it is done with the one before.
        const busyUntil = new Map<number, number>();
        const refused = new Set<string>();
        port.hears = (bytes) => {
          const frame = isAscii ? Buffer.from(Buffer.from(bytes).toString("latin1").slice(1, -2), "hex") : bytes;
          const [unit = 0, , , address = 0, , quantity = 0] = frame;
          const { delayMs, kind } = deeds[nth++ % deeds.length]!;
          const now = clock.monotonic();
          const doneAt = Math.max(now, busyUntil.get(unit) ?? 0) + delayMs * 1000;
          // 10 s of patience with late answers: no unit hoards work for longer
          if (doneAt - now > 9_000_000 || kind === "drops") return;
          busyUntil.set(unit, doneAt);
          if (kind === "refuses") refused.add(`${unit} ${address} ${quantity}`);
          const values = Array.from({ length: quantity }, (_, i) => [unit, address + i]).flat();
          const pdu = kind === "refuses" ? Uint8Array.of(0x83, 2) : Uint8Array.of(3, values.length, ...values);
          const answer = Uint8Array.from(encode({ unit, pdu }));
          if (kind === "breaks") answer[2]! ^= 4;
          const said = kind === "says it twice" ? Buffer.concat([answer, answer]) : answer;
          port.say(said, Math.max(1, Math.ceil((doneAt - now) / 1000)));
        };
        for (const { unit, address, quantity } of questions) {
          const pdu = Uint8Array.of(3, 0, address, 0, quantity);
          let result: Answer | AppError | null = null;
          line.ask({ unit, pdu, timeoutMs: 1000, signal }).then(
            (answer) => {
              result = answer;
            },
            (error: AppError) => {
              result = error;
            },
          );
          for (let i = 0; i < 2000 && result === null; i++) {
            clock.move(25);
            await turns();
          }
          const got = result as Answer | AppError | null;
          assert.ok(got !== null, "it ends");
          if (got instanceof AppError) continue;
          if (got.pdu[0] === 0x83) {
            assert.ok(refused.has(`${unit} ${address} ${quantity}`), "refused without having been refused");
            continue;
          }
          const expected = Array.from({ length: quantity }, (_, i) => [unit, address + i]).flat();
          assert.deepEqual([...got.pdu], [3, quantity * 2, ...expected]);
        }
        line.close();
      },
    ),
    { numRuns: 150 },
  );
});
