import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { charactersOf, countBytes, countCharacters, sliceCharacters } from "./part-characters.ts";

const unit = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0x41, 0xd83d, 0xde00, 0x7ff, 0x800));
const text = fc.array(unit, { maxLength: 12 }).map((units) => String.fromCharCode(...units));

test("countBytes(), countCharacters() and sliceCharacters() agree with the platform, also on halves of pairs", () => {
  fc.assert(
    fc.property(text, fc.nat(13), fc.nat(13), (all, start, end) => {
      assert.equal(countBytes(all), new TextEncoder().encode(all).length);
      assert.equal(countCharacters(all), [...all].length);
      assert.equal(sliceCharacters(all, start, end), charactersOf(all).slice(start, end).join(""));
    }),
    { numRuns: 500 },
  );
});
