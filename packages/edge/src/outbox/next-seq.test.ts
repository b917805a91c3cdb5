import assert from "node:assert/strict";
import { test } from "node:test";
import { nextSeq } from "./next-seq.ts";

test("nextSeq() lies above all that any witness speaks of", () => {
  assert.equal(nextSeq({ highestEntry: 0, promised: 1, passed: 0 }), 1);
  assert.equal(nextSeq({ highestEntry: 9, promised: 4, passed: 6 }), 10);
  // Every entry was acknowledged and removed, and a full disk kept the cursors from being written.
  assert.equal(nextSeq({ highestEntry: 0, promised: 31, passed: 12 }), 31);
  // The segments were lost, the cursors were not.
  assert.equal(nextSeq({ highestEntry: 0, promised: 1, passed: 12 }), 13);
});
