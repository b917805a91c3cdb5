import { digestFunction } from "./part-digest.ts";

export const sha512 = digestFunction({
  name: "sha512",
  summary: "The SHA-512 hash of a text or of bytes, in hexadecimal digits",
  examples: [
    {
      sql: "sha512('abc')",
      gives:
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    },
    {
      sql: "sha512('')",
      gives:
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    },
    {
      sql: "sha512(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives:
        "81e83997fd29e98be0326ccbfb060a7a714e31902b64043270116fcf42cd34c1b273b793a927710c3066503f1598cca37b46d22a4b6de969d3dd76ab2ce3697c",
      mode: "compat",
    },
    {
      sql: "sha512(b)",
      of: { b: Uint8Array.of(104, 105) },
      gives:
        "150a14ed5bea6cc731cf86c41566ac427a8db48ef1b9fd626664b3bfbb99071fa4c922f33dde38719b8c8354e2b7ab9d77e0e67fc12843920a712e73d558e197",
      mode: "strict",
    },
    {
      sql: "sha512(x)",
      of: { x: 21.5 },
      gives:
        "57f54d7efe620837f9d91ea8e4fd5e9490894d5892ba3f3a41f4f24c5e99cf70aeae57bf29dbb4127292e587c58205442b4ed4526e83731448282968216f26ab",
      mode: "compat",
    },
    {
      sql: "sha512(x)",
      of: { x: 21.5 },
      gives: { error: /of must be text or bytes, and is float 21.5/ },
      mode: "strict",
    },
    { sql: "sha512(x)", of: { x: null }, gives: null },
  ],
});
