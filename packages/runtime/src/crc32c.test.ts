import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "./crc32c.ts";

// RFC 3720, B.4. The RFC prints the CRC as bytes on the wire, least significant first.
const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
const vectors: readonly [name: string, bytes: Uint8Array, crc: number][] = [
  ["32 bytes of zeroes", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes ascending", ascending, 0x46dd794e],
  ["32 bytes descending", ascending.toReversed(), 0x113fdb5c],
  ["the nine digits", new TextEncoder().encode("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
];

for (const [name, bytes, crc] of vectors) {
  test(`crc32c() of ${name} is the published one`, () => assert.equal(crc32c(bytes), crc));
}

test("crc32c() goes on from any cut", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 0xff);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), crc32c(bytes));
  }
});
