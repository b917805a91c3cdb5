import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OwedAnswers, owedForMs } from "./owed-answers.ts";
import { normalLength } from "./rtu-frame.ts";

const read = (code: number, start: number, quantity: number) =>
  Uint8Array.of(code, start >> 8, start & 255, quantity >> 8, quantity & 255);

test("a question is ambiguous while its unit owes an answer of the same function and length, for ten seconds", () => {
  const owed = new OwedAnswers();
  owed.add(1, read(3, 0, 2), 0);
  assert.equal(owed.isAmbiguous(1, read(3, 700, 2), 1), true);
  assert.equal(owed.isAmbiguous(1, read(3, 0, 3), 1), false, "another length");
  assert.equal(owed.isAmbiguous(1, read(4, 0, 2), 1), false, "another function");
  assert.equal(owed.isAmbiguous(2, read(3, 0, 2), 1), false, "another unit");
  assert.equal(owed.isAmbiguous(1, read(3, 0, 2), owedForMs * 1000), false);
});

test("a probe's answer is of no length that is owed, at the place of the question", () => {
  const question = fc.tuple(fc.constantFrom(1, 2, 3, 4), fc.nat(60_000), fc.integer({ min: 1, max: 125 }));
  fc.assert(
    fc.property(fc.array(question, { maxLength: 12 }), question, (before, [code, start, quantity]) => {
      const owed = new OwedAnswers();
      for (const one of before) owed.add(1, read(...one), 0);
      const pdu = read(code, start, quantity);
      const probe = owed.probe(1, pdu, 1);
      assert.deepEqual(probe.subarray(0, 3), pdu.subarray(0, 3));
      assert.equal(owed.isAmbiguous(1, probe, 1), false);
      const lengthOf = (pdu: Uint8Array) => normalLength(pdu[0]!, (pdu[3]! << 8) | pdu[4]!);
      assert.notEqual(lengthOf(probe), lengthOf(pdu));
    }),
  );
});

test("a refusal settles the oldest of its function only, a good answer all before it", () => {
  const owed = new OwedAnswers();
  const one = read(3, 0, 1);
  const two = read(3, 0, 2);
  owed.add(1, one, 0);
  owed.add(1, one, 0);
  assert.equal(owed.answered({ unit: 1, pdu: two, isRefusal: true, now: 1 }), false);
  assert.equal(owed.isAmbiguous(1, one, 1), true, "the second is still owed");
  assert.equal(owed.isAmbiguous(1, two, 1), true, "and the probe, if the refusal was the first one's");
  const three = read(3, 0, 3);
  assert.equal(owed.answered({ unit: 1, pdu: three, isRefusal: false, now: 1 }), true);
  assert.equal(owed.isAmbiguous(1, one, 1), false);
});
