import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isSafePattern } from "./safe-pattern.ts";

test("isSafePattern() takes what mappers use", () => {
  const used = [
    "^[A-Z]{2}[0-9]+$",
    "^(https|http)://",
    "^\\d{1,3}(\\.\\d{1,3}){3}$",
    "^/dev/[A-Za-z0-9]+$",
    "^(?:ns=\\d{1,5};)?[sigb]=.+$",
    "^[^\\]]*$",
  ];
  for (const pattern of used) assert.ok(isSafePattern(pattern), pattern);
});

// A gateway's manifest is checked in the process that serves everybody: one such pattern would stop it for hours.
test("isSafePattern() refuses what may take longer than the text is long, or what it does not know", () => {
  const risky = [
    "a+$", // begins anywhere
    "^a|b+$",
    "^(a+)+$",
    "^(a*)*b",
    "^(?:a|a)*$",
    "^(a?){1,30}a{30}$",
    "^.*a.*a.*a$",
    "^a{1,100}b{1,100}c{1,100}$",
    "^((a{1,9}){9}){9}$",
    "^(?=a)a",
    "^(?<n>a)\\k<n>",
    "^(a)\\1$",
    "^a{99999}$",
    "^[a",
    "^(((((((a)))))))$",
    `^${"a".repeat(300)}`,
    "^\\p{L}+$",
    "^a**",
  ];
  for (const pattern of risky) assert.equal(isSafePattern(pattern), false, pattern);
});

test("isSafePattern() says yes only to what is a regular expression and ends soon", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    ".",
    "[ab]",
    "(",
    "(?:",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{1,3}",
    "{2,}",
    "^",
    "$",
    "\\d",
  );
  const text = "a".repeat(20_000);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const pattern = `^${pieces.join("")}`;
      if (!isSafePattern(pattern)) return;
      const began = performance.now();
      new RegExp(pattern, "u").test(text);
      assert.ok(performance.now() - began < 1000, pattern);
    }),
    { numRuns: 2000 },
  );
});
