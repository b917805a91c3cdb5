import { digestFunction } from "./part-digest.ts";

export const sha384 = digestFunction({
  name: "sha384",
  summary: "The SHA-384 hash of a text or of bytes, in hexadecimal digits",
  examples: [
    {
      sql: "sha384('abc')",
      gives: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    },
    {
      sql: "sha384('')",
      gives: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    },
    {
      sql: "sha384(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives: "f7829c0cdad5c0483147843976517228eb9470f2ed57feebb2fe36c7410fd11e58f9a0d4f8749fbb61cd8b0dcef9202d",
      mode: "compat",
    },
    {
      sql: "sha384(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives: "0791006df8128477244f53d0fdce210db81f55757510e26acee35c18a6bceaa28dcdbbfd6dc041b9b4dc7b1b54e37f52",
      mode: "strict",
    },
    {
      sql: "sha384(x)",
      of: { x: 21.5 },
      gives: "f48172f6387f4c6cf460eafcaa2521e0c092d246de482c594e59364a847ba5da88a56cbe669e799a3947d4e98d22b3a2",
      mode: "compat",
    },
    {
      sql: "sha384(x)",
      of: { x: 21.5 },
      gives: { error: /of must be text or bytes, and is float 21.5/ },
      mode: "strict",
    },
    { sql: "sha384(x)", of: { x: null }, gives: null },
  ],
});
