import { digestFunction } from "./part-digest.ts";

export const sha1 = digestFunction({
  name: "sha1",
  summary: "The SHA-1 hash of a text or of bytes, in hexadecimal digits; a check of equality, not of trust",
  examples: [
    { sql: "sha1('abc')", gives: "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { sql: "sha1('')", gives: "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    {
      sql: "sha1(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives: "2f750717447e17a50ef93d2bd58106149224041b",
      mode: "compat",
    },
    {
      sql: "sha1(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives: "c22b5f9178342609428d6f51b2c5af4c0bde6a42",
      mode: "strict",
    },
    { sql: "sha1(x)", of: { x: 21.5 }, gives: "d17a3b6342d69046ccc807a9ece21a00689553c0", mode: "compat" },
    {
      sql: "sha1(x)",
      of: { x: 21.5 },
      gives: { error: /of must be text or bytes, and is float 21.5/ },
      mode: "strict",
    },
    { sql: "sha1(x)", of: { x: null }, gives: null },
  ],
});
