import { digestFunction } from "./part-digest.ts";

export const md5 = digestFunction({
  name: "md5",
  summary: "The MD5 hash of a text or of bytes, in hexadecimal digits; a check of equality, not of trust",
  examples: [
    { sql: "md5('abc')", gives: "900150983cd24fb0d6963f7d28e17f72" },
    { sql: "md5('')", gives: "d41d8cd98f00b204e9800998ecf8427e" },
    { sql: "md5(b)", of: { b: Uint8Array.of(104, 105) }, gives: "d17aeb718a1d648e9f726f222aeda0e0", mode: "compat" },
    { sql: "md5(b)", of: { b: Uint8Array.of(104, 105) }, gives: "49f68a5c8493ec2c0bf489821c21fc3b", mode: "strict" },
    { sql: "md5(x)", of: { x: 21.5 }, gives: "d81fdeb5a429e85d04118048e4b3485d", mode: "compat" },
    { sql: "md5(x)", of: { x: 21.5 }, gives: { error: /of must be text or bytes, and is float 21.5/ }, mode: "strict" },
    { sql: "md5(x)", of: { x: null }, gives: null },
  ],
});
