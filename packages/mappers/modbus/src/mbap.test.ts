import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "@penstock/model";
import fc from "fast-check";
import { encodeMbap, MbapReader, RecentHeaders } from "./mbap.ts";
import { decodeRead } from "./pdu.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const transaction = fc.integer({ min: 0, max: 65_535 });
const unit = fc.integer({ min: 1, max: 247 });
const registers = fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 125 });
const answerOf = (words: readonly number[]) =>
  Uint8Array.from([3, words.length * 2, ...words.flatMap((word) => [word >> 8, word & 255])]);

/** by whoever asked for so many registers */
function isRefused(quantity: number, pdu: Uint8Array): boolean {
  try {
    decodeRead("holding", quantity, pdu);
    return false;
  } catch {
    return true;
  }
}

test("MbapReader takes answers whole, however they are cut into chunks", () => {
  const answers = fc.array(fc.tuple(transaction, unit, registers), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(answers, fc.array(fc.nat(2000), { maxLength: 8 }), (answers, cuts) => {
      const all = Buffer.concat(
        answers.map(([transaction, unit, words]) => encodeMbap({ transaction, unit, pdu: answerOf(words) })),
      );
      const places = [0, ...cuts.map((cut) => cut % all.length).toSorted((a, b) => a - b), all.length];
      const reader = new MbapReader();
      const taken: unknown[] = [];
      for (const [i, start] of places.slice(0, -1).entries()) {
        reader.push(all.subarray(start, places[i + 1]), (...got) => taken.push([got[0], got[1], hex(got[2])]));
      }
      assert.deepEqual(
        taken,
        answers.map(([transaction, unit, words]) => [transaction, unit, hex(answerOf(words))]),
      );
      assert.equal(reader.held, 0);
    }),
  );
});

test("an answer that stops in its middle never takes values from the next one", () => {
  fc.assert(
    fc.property(registers, registers, unit, fc.nat(), fc.boolean(), (first, second, unit, cut, isOneChunk) => {
      const recent = new RecentHeaders();
      recent.add(500, unit, 3);
      recent.add(501, unit, 3);
      const whole = encodeMbap({ transaction: 500, unit, pdu: answerOf(first) });
      const begun = whole.subarray(0, 1 + (cut % (whole.length - 1)));
      const next = encodeMbap({ transaction: 501, unit, pdu: answerOf(second) });
      const reader = new MbapReader();
      const taken: { transaction: number; pdu: Uint8Array }[] = [];
      const take = (transaction: number, got: number, pdu: Uint8Array) => {
        // As the line does: what holds a header is no answer, and what is nobody's is discarded.
        if (recent.isInside(pdu)) throw new Error("cut short");
        if (got === unit && (transaction === 500 || transaction === 501)) taken.push({ transaction, pdu });
      };
      try {
        for (const chunk of isOneChunk ? [Buffer.concat([begun, next])] : [begun, next]) reader.push(chunk, take);
      } catch {
        // the connection ends
      }
      for (const { transaction, pdu } of taken) {
        const asked = transaction === 500 ? first : second;
        if (isRefused(asked.length, pdu)) continue;
        assert.equal(hex(pdu), hex(answerOf(asked)));
      }
    }),
  );
});

test("RecentHeaders knows the last questions only, and zeros alone are no header", () => {
  const recent = new RecentHeaders();
  recent.add(1, 7, 3);
  const inside = (transaction: number) =>
    recent.isInside(Uint8Array.of(3, 10, transaction >> 8, transaction & 255, 0, 0, 0, 5, 7, 3, 2, 0));
  assert.equal(inside(1), true);
  assert.equal(inside(2), false);
  assert.equal(recent.isInside(new Uint8Array(252)), false);
  for (let i = 2; i < 66; i++) recent.add(i, 7, 3);
  assert.equal(inside(1), false, "64 later");
});

test("MbapReader takes any bytes for answers or for the end, and holds one answer at most", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 20 }), (noise) => {
      const reader = new MbapReader();
      try {
        for (const chunk of noise) {
          // The first zeros make it look like Modbus for longer.
          reader.push(
            Uint8Array.from(chunk, (byte, at) => (at % 12 < 5 && at % 12 > 1 ? 0 : byte)),
            () => {},
          );
          assert.ok(reader.held <= 260);
        }
      } catch (error) {
        assert.equal(codeOf(error), "mapper/bad-answer");
      }
    }),
  );
});
