import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AsciiReader, encodeAscii, lrc, maxAsciiBytes } from "./ascii-frame.ts";
import { answerLength, crc16, encodeRtu, maxRtuBytes, RtuReader, requestLength } from "./rtu-frame.ts";

const bytes = (...parts: (number | readonly number[])[]) => Uint8Array.from(parts.flat());
interface Taken {
  readonly unit: number;
  readonly pdu: string;
}
const hex = (pdu: Uint8Array) => Buffer.from(pdu).toString("hex");
const collector = (taken: Taken[]) => (unit: number, pdu: Uint8Array) => {
  taken.push({ unit, pdu: hex(pdu) });
};

/** cuts bytes at places a generator has chosen, as adapters do */
function chunks(all: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (all.length + 1)).toSorted((a, b) => a - b), all.length];
  return places.slice(1).map((end, i) => all.slice(places[i], end));
}

const quantity = (from: number, to: number) => fc.integer({ min: from, max: to });
const word = fc.integer({ min: 0, max: 65535 });
const data = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const w = (value: number) => [value >> 8, value & 255];

/** requests and a right answer to each, of every function the mapper uses */
const exchange = fc.oneof(
  fc.tuple(fc.constantFrom(1, 2), word, quantity(1, 2000)).chain(([code, start, n]) =>
    data((n + 7) >> 3).map((bits) => ({
      pdu: bytes(code, w(start), w(n)),
      answer: bytes(code, bits.length, [...bits]),
    })),
  ),
  fc
    .tuple(fc.constantFrom(3, 4), word, quantity(1, 125))
    .chain(([code, start, n]) =>
      data(n * 2).map((words) => ({ pdu: bytes(code, w(start), w(n)), answer: bytes(code, n * 2, [...words]) })),
    ),
  fc.tuple(fc.constantFrom(5, 6), word, word).map(([code, start, value]) => {
    const pdu = bytes(code, w(start), w(value));
    return { pdu, answer: pdu };
  }),
  fc.tuple(word, quantity(1, 123)).chain(([start, n]) =>
    data(n * 2).map((words) => ({
      pdu: bytes(16, w(start), w(n), n * 2, [...words]),
      answer: bytes(16, w(start), w(n)),
    })),
  ),
  fc.tuple(word, quantity(1, 1968)).chain(([start, n]) =>
    data((n + 7) >> 3).map((bits) => ({
      pdu: bytes(15, w(start), w(n), bits.length, [...bits]),
      answer: bytes(15, w(start), w(n)),
    })),
  ),
  fc.tuple(word, word, word).map(([start, and, or]) => {
    const pdu = bytes(22, w(start), w(and), w(or));
    return { pdu, answer: pdu };
  }),
  fc.tuple(word, quantity(1, 125), quantity(1, 121)).chain(([start, read, written]) =>
    fc.tuple(data(read * 2), data(written * 2)).map(([got, put]) => ({
      pdu: bytes(23, w(start), w(read), w(start), w(written), written * 2, [...put]),
      answer: bytes(23, read * 2, [...got]),
    })),
  ),
);
const unit = fc.integer({ min: 1, max: 247 });
const cuts = fc.array(fc.nat(600), { maxLength: 8 });

test("crc16() and encodeRtu() give the bytes of Modbus over Serial Line V1.02, 6.2.2", () => {
  // 6.2.2: "the CRC of 02 07 is 1241h", low byte first on the line
  assert.equal(crc16(bytes(0x02, 0x07)), 0x1241);
  assert.deepEqual(
    encodeRtu({ unit: 0x02, pdu: bytes(0x07) }),
    bytes(
      0x02, // unit
      0x07, // function: read exception status
      0x41, // CRC low
      0x12, // CRC high
    ),
  );
});

test("encodeAscii() writes digits in capitals, the LRC and CR LF", () => {
  // unit 1, read holding registers 0 to 9: 01 03 00 00 00 0A, and what is missing to 100h is F2
  assert.equal(lrc(bytes(1, 3, 0, 0, 0, 10)), 0xf2);
  const frame = encodeAscii({ unit: 1, pdu: bytes(3, 0, 0, 0, 10) });
  assert.equal(Buffer.from(frame).toString("latin1"), ":01030000000AF2\r\n");
});

test("RtuReader takes requests and answers whole, however they are cut", () => {
  fc.assert(
    fc.property(unit, exchange, cuts, (unit, { pdu, answer }, cuts) => {
      const taken: Taken[] = [];
      const server = new RtuReader(requestLength);
      for (const chunk of chunks(encodeRtu({ unit, pdu }), cuts)) server.push(chunk, collector(taken));
      const client = new RtuReader(answerLength({ unit, pdu }));
      for (const chunk of chunks(encodeRtu({ unit, pdu: answer }), cuts)) client.push(chunk, collector(taken));
      const refusal = bytes(pdu[0]! | 0x80, 2);
      client.push(encodeRtu({ unit, pdu: refusal }), collector(taken));
      assert.deepEqual(
        taken,
        [pdu, answer, refusal].map((pdu) => ({ unit, pdu: hex(pdu) })),
      );
      assert.equal(client.skipped + server.skipped + client.held + server.held, 0);
    }),
  );
});

test("RtuReader finds an answer behind garbage, at the latest when the line has been silent", () => {
  fc.assert(
    fc.property(unit, exchange, fc.uint8Array({ maxLength: 40 }), cuts, (unit, { pdu, answer }, garbage, cuts) => {
      const taken: Taken[] = [];
      const reader = new RtuReader(answerLength({ unit, pdu }));
      const all = Buffer.concat([garbage, encodeRtu({ unit, pdu: answer })]);
      for (const chunk of chunks(all, cuts)) reader.push(chunk, collector(taken));
      if (taken.length === 0) reader.silence(collector(taken));
      assert.deepEqual(taken, [{ unit, pdu: hex(answer) }]);
    }),
  );
});

test("RtuReader takes no frame with a changed byte, of another unit or function, or with another count", () => {
  const pdu = bytes(3, 0, 0, 0, 2);
  const answer = encodeRtu({ unit: 7, pdu: bytes(3, 4, 1, 2, 3, 4) });
  const taken: Taken[] = [];
  const all = (frame: Uint8Array) => {
    const reader = new RtuReader(answerLength({ unit: 7, pdu }));
    reader.push(frame, collector(taken));
    reader.silence(collector(taken));
    assert.equal(reader.held, 0);
  };
  for (let at = 0; at < answer.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const broken = Uint8Array.from(answer);
      broken[at]! ^= 1 << bit;
      all(broken);
    }
  }
  all(encodeRtu({ unit: 8, pdu: bytes(3, 4, 1, 2, 3, 4) }));
  all(encodeRtu({ unit: 7, pdu: bytes(4, 4, 1, 2, 3, 4) }));
  all(encodeRtu({ unit: 7, pdu: bytes(3, 2, 1, 2) }));
  assert.deepEqual(taken, []);
});

test("RtuReader takes a request of a function that has no known length at the silence behind it", () => {
  const taken: Taken[] = [];
  const reader = new RtuReader(requestLength);
  reader.push(encodeRtu({ unit: 1, pdu: bytes(8, 0, 0, 0xa5, 0x37) }), collector(taken)); // diagnostics
  assert.deepEqual(taken, []);
  reader.silence(collector(taken));
  assert.deepEqual(taken, [{ unit: 1, pdu: "080000a537" }]);
});

test("AsciiReader takes frames whole, however they are cut, with garbage around them", () => {
  const noise = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(unit, exchange, noise, cuts, (unit, { pdu, answer }, garbage, cuts) => {
      const taken: Taken[] = [];
      const reader = new AsciiReader();
      const all = Buffer.concat([garbage, encodeAscii({ unit, pdu }), encodeAscii({ unit, pdu: answer })]);
      for (const chunk of chunks(all, cuts)) reader.push(chunk, collector(taken));
      assert.deepEqual(
        taken,
        [pdu, answer].map((pdu) => ({ unit, pdu: hex(pdu) })),
      );
    }),
  );
});

test("AsciiReader takes no frame with a wrong digit, LRC or end, and begins anew at a colon", () => {
  const taken: Taken[] = [];
  const reader = new AsciiReader();
  const say = (text: string) => reader.push(Buffer.from(text, "latin1"), collector(taken));
  say(":01030000000AF3\r\n"); // LRC
  say(":01030000000AG2\r\n"); // digit
  say(":01030000000AF\r\n"); // half a byte
  say(":01030000000AF2\n"); // no CR
  say(":0103000:01030000000AF2\r\n"); // cut off by a new one
  assert.deepEqual(taken, [{ unit: 1, pdu: "030000000a" }]);
});

test("readers hold at most one frame, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 20 }), (noise) => {
      const ascii = new AsciiReader();
      const rtu = new RtuReader(requestLength);
      const ignore = () => {};
      for (const chunk of noise) {
        ascii.push(chunk, ignore);
        rtu.push(chunk, ignore);
        assert.ok(ascii.held <= maxAsciiBytes);
        assert.ok(rtu.held <= maxRtuBytes);
      }
      rtu.silence(ignore);
      assert.equal(rtu.held, 0);
    }),
  );
});
