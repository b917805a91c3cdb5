import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@penstock/model";
import fc from "fast-check";
import { fromBcd, toBcd } from "./bcd.ts";
import { encodeMbap, MbapReader } from "./mbap.ts";
import {
  checkWritten,
  decodeRead,
  encodeMaskWrite,
  encodeRead,
  encodeWriteCoil,
  encodeWriteCoils,
  encodeWriteReadBack,
  encodeWriteRegister,
  encodeWriteRegisters,
} from "./pdu.ts";
import { registerBytes, registerReader, type WordOrder, wordOrders } from "./registers.ts";
import { decodeText, encodeText, encodings, paddings } from "./text-registers.ts";

const bytes = (...parts: (number | readonly number[])[]) => Uint8Array.from(parts.flat());

// The examples of Modbus Application Protocol V1.1b3, chapter 6, byte by byte: any device understands these.

test("encodeRead() and decodeRead() speak 6.1: coils 20 to 38", () => {
  assert.deepEqual(
    encodeRead("coil", 19, 19),
    bytes(
      0x01, // function: read coils
      [0x00, 0x13], // starting address 19, coil 20 of the manual
      [0x00, 0x13], // quantity 19
    ),
  );
  const answer = bytes(
    0x01, // function
    0x03, // three bytes follow
    0xcd, // coils 27..20: 1100 1101
    0x6b, // coils 35..28: 0110 1011
    0x05, // coils 38..36, padded with zeros: 0000 0101
  );
  assert.deepEqual(decodeRead("coil", 19, answer), bytes(0xcd, 0x6b, 0x05));
});

test("encodeRead() and decodeRead() speak 6.3: registers 108 to 110", () => {
  assert.deepEqual(encodeRead("holding", 107, 3), bytes(0x03, [0x00, 0x6b], [0x00, 0x03]));
  const answer = bytes(
    0x03, // function: read holding registers
    0x06, // six bytes follow
    [0x02, 0x2b], // register 108: 555
    [0x00, 0x00], // register 109: 0
    [0x00, 0x64], // register 110: 100
  );
  const data = decodeRead("holding", 3, answer);
  const read = registerReader("uint16", "ABCD");
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  assert.deepEqual([read(view, 0), read(view, 2), read(view, 4)], [555, 0, 100]);
  assert.equal(encodeRead("discrete", 0, 1)[0], 0x02);
  assert.equal(encodeRead("input", 0, 1)[0], 0x04);
});

test("encodeWriteCoil() speaks 6.5: coil 173 on", () => {
  const request = encodeWriteCoil(172, true);
  assert.deepEqual(request.pdu, bytes(0x05, [0x00, 0xac], [0xff, 0x00])); // function, address, ON
  assert.deepEqual(encodeWriteCoil(172, false).pdu, bytes(0x05, [0x00, 0xac], [0x00, 0x00])); // OFF
});

test("encodeWriteRegister() speaks 6.6: register 2 to 3", () => {
  const request = encodeWriteRegister(1, registerBytes("uint16", "ABCD", 3));
  assert.deepEqual(request.pdu, bytes(0x06, [0x00, 0x01], [0x00, 0x03])); // function, address, value
});

test("encodeWriteCoils() speaks 6.11: ten coils from 20", () => {
  const values = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0].map((bit) => bit === 1);
  const request = encodeWriteCoils(19, values);
  assert.deepEqual(
    request.pdu,
    bytes(
      0x0f, // function: write multiple coils
      [0x00, 0x13], // starting address 19
      [0x00, 0x0a], // quantity 10
      0x02, // two bytes follow
      0xcd, // coils 27..20
      0x01, // coils 29..28, padded with zeros
    ),
  );
  assert.deepEqual(request.echo, bytes(0x0f, [0x00, 0x13], [0x00, 0x0a])); // function, address, quantity
});

test("encodeWriteRegisters() speaks 6.12: two registers from 2", () => {
  const request = encodeWriteRegisters(1, bytes([0x00, 0x0a], [0x01, 0x02]));
  assert.deepEqual(
    request.pdu,
    bytes(
      0x10, // function: write multiple registers
      [0x00, 0x01], // starting address 1
      [0x00, 0x02], // quantity 2
      0x04, // four bytes follow
      [0x00, 0x0a],
      [0x01, 0x02],
    ),
  );
  assert.deepEqual(request.echo, bytes(0x10, [0x00, 0x01], [0x00, 0x02]));
});

test("decodeRead() and checkWritten() refuse what is not the answer to the question", () => {
  const bad = (run: () => unknown, code: string) => assert.throws(run, { code });
  bad(() => decodeRead("holding", 1, bytes(0x04, 0x02, 0, 0)), "mapper/bad-answer"); // another function
  bad(() => decodeRead("holding", 2, bytes(0x03, 0x02, 0, 0)), "mapper/bad-answer"); // one register for two
  bad(() => decodeRead("holding", 1, bytes(0x03, 0x02, 0)), "mapper/bad-answer"); // one byte short
  bad(() => decodeRead("holding", 1, bytes(0x83)), "mapper/bad-answer"); // an exception without its code
  bad(() => decodeRead("holding", 1, bytes()), "mapper/bad-answer");
  bad(() => decodeRead("holding", 1, bytes(0x83, 0x06)), "mapper/device-busy");
  const write = encodeWriteRegister(1, bytes(0, 3));
  bad(() => checkWritten(write, bytes(0x06, 0, 1, 0, 4)), "mapper/bad-answer"); // another value
  bad(() => checkWritten(write, bytes(0x86, 0x02)), "mapper/bad-address");
  checkWritten(write, bytes(0x06, 0, 1, 0, 3));
});

test("registerReader() puts words in the order that manuals print", () => {
  // 123456789 is 0x075BCD15
  const orders: Record<WordOrder, readonly number[]> = {
    ABCD: [0x07, 0x5b, 0xcd, 0x15],
    CDAB: [0xcd, 0x15, 0x07, 0x5b],
    BADC: [0x5b, 0x07, 0x15, 0xcd],
    DCBA: [0x15, 0xcd, 0x5b, 0x07],
  };
  for (const order of wordOrders) {
    const view = new DataView(Uint8Array.from(orders[order]).buffer);
    assert.equal(registerReader("int32", order)(view, 0), 123456789, order);
    assert.deepEqual([...registerBytes("int32", order, 123456789)], orders[order], order);
  }
  // 64 bits in CDAB: the four words from the last to the first
  const reversed = [0x77, 0x88, 0x55, 0x66, 0x33, 0x44, 0x11, 0x22];
  const view = new DataView(Uint8Array.from(reversed).buffer);
  assert.equal(registerReader("uint64", "CDAB")(view, 0), 0x1122334455667788n);
});

test("MbapReader puts any cutting of the stream together again", () => {
  const frames = fc.array(
    fc.record(
      {
        transaction: fc.integer({ min: 0, max: 65535 }),
        unit: fc.integer({ min: 0, max: 255 }),
        pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }), (sent, cuts) => {
      const stream = bytes(...sent.map((frame) => [...encodeMbap(frame)]));
      const reader = new MbapReader();
      const got: typeof sent = [];
      const take = (transaction: number, unit: number, pdu: Uint8Array) =>
        got.push({ transaction, unit, pdu: Uint8Array.from(pdu) });
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        reader.push(stream.subarray(at, at + cut), take);
        at += cut;
      }
      assert.deepEqual(got, sent);
    }),
  );
});

test("MbapReader and decodeRead() meet garbage with mapper/bad-answer and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (garbage) => {
      try {
        new MbapReader().push(garbage, (_transaction, _unit, pdu) => decodeRead("holding", 3, pdu));
      } catch (error) {
        assert.ok(error instanceof AppError && error.code.startsWith("mapper/"), String(error));
      }
    }),
  );
});

test("encodeMaskWrite() speaks 6.16: register 5, AND 0x00f2, OR 0x0025", () => {
  const { pdu, echo } = encodeMaskWrite(4, { bits: 0xff0d, value: 0x0025 });
  assert.deepEqual(pdu, bytes(0x16, [0x00, 0x04], [0x00, 0xf2], [0x00, 0x25])); // function, address, AND, OR
  assert.deepEqual(echo, pdu);
});

test("encodeWriteReadBack() speaks 6.17, and its answer is what the device then holds", () => {
  const request = encodeWriteReadBack(14, bytes([0x00, 0xff], [0x12, 0x34]));
  assert.deepEqual(
    request.pdu,
    bytes(
      0x17, // function: read/write multiple registers
      [0x00, 0x0e], // read from register 15
      [0x00, 0x02], // two registers
      [0x00, 0x0e], // write from register 15
      [0x00, 0x02], // two registers
      0x04, // four bytes follow
      [0x00, 0xff],
      [0x12, 0x34],
    ),
  );
  checkWritten(request, bytes(0x17, 0x04, [0x00, 0xff], [0x12, 0x34]));
  const refusal = (answer: Uint8Array) => {
    try {
      checkWritten(request, answer);
      return null;
    } catch (error) {
      return (error as AppError).code;
    }
  };
  assert.equal(refusal(bytes(0x17, 0x04, [0x00, 0xff], [0x12, 0x35])), "mapper/value-refused");
  assert.equal(refusal(bytes(0x17, 0x02, [0x00, 0xff])), "mapper/bad-answer");
});

test("encodeText() writes what decodeText() reads, or refuses", () => {
  const letters = fc.string({ unit: "binary", maxLength: 12 });
  fc.assert(
    fc.property(letters, fc.constantFrom(...encodings), fc.constantFrom(...paddings), (text, encoding, padding) => {
      let written: Uint8Array;
      try {
        written = encodeText(text, { encoding, padding, length: 20 });
      } catch (error) {
        assert.equal((error as AppError).code, "mapper/value-out-of-range");
        return;
      }
      assert.equal(written.length, 20);
      assert.equal(decodeText(written, { encoding, padding }), text);
    }),
  );
});

test("toBcd() and fromBcd() are each other's inverse, and 0xA is no digit", () => {
  assert.equal(toBcd(1234), 0x1234);
  assert.equal(fromBcd(0x12a4), null);
  fc.assert(fc.property(fc.integer({ min: 0, max: 99_999_999 }), (value) => fromBcd(toBcd(value)) === value));
});
