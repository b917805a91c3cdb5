import { digestFunction } from "./part-digest.ts";

export const sha256 = digestFunction({
  name: "sha256",
  summary: "The SHA-256 hash of a text or of bytes, in hexadecimal digits",
  examples: [
    { sql: "sha256('abc')", gives: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { sql: "sha256('')", gives: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    {
      sql: "sha256(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives: "9d150c604441dccb9b078b349c7309e70ee53d7c858af9c1fb7e7c85afd37a2e",
      mode: "compat",
    },
    {
      sql: "sha256(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives: "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
      mode: "strict",
    },
    {
      sql: "sha256(x)",
      of: { x: 21.5 },
      gives: "a20fa123d4d8977782c80981ddbe6177a8d5ba294eaffd08a88669e246c37110",
      mode: "compat",
    },
    {
      sql: "sha256(x)",
      of: { x: 21.5 },
      gives: { error: /of must be text or bytes, and is float 21.5/ },
      mode: "strict",
    },
    { sql: "sha256(x)", of: { x: null }, gives: null },
  ],
});
