import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { areas } from "./areas.ts";
import { decodeUnit, encodeConnect, encodeData, IsoReader, packetsInside } from "./iso-frame.ts";
import { decodeAnswer, decodeRead, encodeRead, encodeSetup, encodeWrite } from "./s7-pdu.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const words = (...parts: string[]) => parts.join("").replaceAll(" ", "");

test("questions are these bytes", () => {
  assert.equal(
    hex(encodeConnect({ local: 0x0100, remote: 0x0301 })),
    words(
      "03 00 0016", // TPKT: 22 bytes
      "11 e0 0000 0001 00", // 17 follow; connect request to 0, from 1, class 0
      "c0 01 0a", // a unit has 2^10 bytes
      "c1 02 0100 c2 02 0301", // TSAPs
    ),
  );
  assert.equal(
    hex(encodeSetup(7, { pduSize: 960, jobs: 4 })),
    words("32 01 0000 0007 0008 0000", "f0 00 0004 0004 03c0"), // jobs both ways, bytes
  );
  assert.equal(
    hex(
      encodeRead(0x0102, [
        { area: areas.DB, db: 10, place: 4, count: 4 },
        { area: areas.T, db: 0, place: 5, count: 1 },
      ]),
    ),
    words(
      "32 01 0000 0102 001a 0000", // parameters: 26 bytes, no data
      "04 02", // read two items
      "12 0a 10 02 0004 000a 84 000020", // four bytes of DB10 from bit 32
      "12 0a 10 1d 0001 0000 1d 000005", // timer 5
    ),
  );
  assert.equal(
    hex(
      encodeWrite(1, [
        { area: areas.M, db: 0, place: 5, bit: 7, data: Uint8Array.of(1) },
        { area: areas.DB, db: 1, place: 2, bit: null, data: Uint8Array.of(0xaa, 0xbb) },
      ]),
    ),
    words(
      "32 01 0000 0001 001a 000c",
      "05 02",
      "12 0a 10 01 0001 0000 83 00002f", // one bit of M from bit 47
      "12 0a 10 02 0002 0001 84 000010",
      "00 03 0001 01 00", // a bit, filled up to a word
      "00 04 0010 aabb", // 16 bits
    ),
  );
});

test("a PDU comes out of the stream as it went in, however it is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(128, 1024),
      fc.integer({ min: 1, max: 50 }),
      (pdus, tpduSize, step) => {
        const stream = Buffer.concat(pdus.map((pdu) => encodeData(pdu, tpduSize)));
        const reader = new IsoReader();
        const found: Buffer[] = [];
        let parts: Uint8Array[] = [];
        for (let at = 0; at < stream.length; at += step) {
          reader.push(stream.subarray(at, at + step), (cotp) => {
            const unit = decodeUnit(cotp);
            assert.ok(unit.is === "data");
            parts.push(unit.data.slice());
            if (unit.isLast) found.push(Buffer.concat(parts.splice(0)));
          });
        }
        assert.deepEqual(found, pdus.map(Buffer.from));
        assert.equal(reader.held, 0);
        parts = [];
      },
    ),
  );
});

test("an answer that stopped in its middle takes nothing of the next one for values", () => {
  // One byte was asked for: return code, bytes, eight bits, the byte.
  const whole = "0300001a 02f080 320300005a07 0002 0005 0000 0401 ff040008 63".replaceAll(" ", "");
  const next = "0300001a 02f080 320300005a08 0002 0005 0000 0401 ff040008 64".replaceAll(" ", "");
  for (let missing = 1; missing < whole.length / 2; missing++) {
    const cut = whole.slice(0, whole.length - 2 * missing);
    const units: string[] = [];
    const read = () =>
      new IsoReader().push(Buffer.from(cut + next + next, "hex"), (cotp) => {
        assert.deepEqual([...packetsInside(cotp.subarray(3))].length, 0);
        units.push(hex(cotp));
      });
    assert.throws(read);
    assert.deepEqual(units, [], `${missing} missing`);
  }
});

test("an answer that stopped eight bytes early and whose reference looks like a packet gives no value", () => {
  // Two items of one byte: return code, bytes, eight bits, the byte and a filler; the second without one.
  const pdu = "3203 0000 5a07 0002 000b 0000 0402 ff040008 63 00 ff040008 64".replaceAll(" ", "");
  assert.deepEqual(decodeRead(decodeAnswer(Buffer.from(pdu, "hex")), [1, 1]), [
    { bytes: Buffer.of(0x63) },
    { bytes: Buffer.of(0x64) },
  ]);
  const next = "0300001a 02f08032".replaceAll(" ", "");
  const cut = decodeAnswer(Buffer.from(pdu.slice(0, -next.length) + next, "hex"));
  assert.throws(() => decodeRead(cut, [1, 1]), {
    code: "mapper/bad-answer",
    message: /3 bits where bytes were asked for/,
  });
});

test("random bytes are refused with a code, and hold no more than a packet", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 10 }), (chunks) => {
      const reader = new IsoReader();
      try {
        for (const chunk of chunks) reader.push(chunk, (cotp) => void decodeUnit(cotp));
      } catch (error) {
        assert.equal((error as { code?: string }).code, "mapper/bad-answer");
      }
      assert.ok(reader.held <= 12_000);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        decodeAnswer(Uint8Array.of(0x32, 3, ...bytes));
      } catch (error) {
        assert.equal((error as { code?: string }).code, "mapper/bad-answer");
      }
    }),
  );
});
