import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@penstock/model";
import fc from "fast-check";
import type { Written } from "./body-writer.ts";
import { callBytes, messageLength } from "./message.ts";
import { MessageStream } from "./message-stream.ts";

const call = { destination: "a.b", path: "/c", interface: "d.e", member: "F" };

test("callBytes() writes a call byte for byte", () => {
  const text = (letters: string) => [...letters].map((letter) => letter.charCodeAt(0));
  const field = (code: number, type: string) => [code, 1, ...text(type), 0];
  assert.deepEqual(
    [...callBytes({ ...call, signature: "yn", body: [1, -2] }, 7)],
    [
      ...text("l"), // least significant byte first
      ...[1, 0, 1], // a call, no flags, version 1
      ...[4, 0, 0, 0], // bytes of body
      ...[7, 0, 0, 0], // its number
      ...[72, 0, 0, 0], // bytes of fields, each beginning at a multiple of 8
      ...[...field(1, "o"), 2, 0, 0, 0, ...text("/c"), 0, ...[0, 0, 0, 0, 0]], // path
      ...[...field(2, "s"), 3, 0, 0, 0, ...text("d.e"), 0, ...[0, 0, 0, 0]], // interface
      ...[...field(3, "s"), 1, 0, 0, 0, ...text("F"), 0, ...[0, 0, 0, 0, 0, 0]], // member
      ...[...field(6, "s"), 3, 0, 0, 0, ...text("a.b"), 0, ...[0, 0, 0, 0]], // destination
      ...[...field(8, "g"), 2, ...text("yn"), 0], // signature: its length is one byte
      ...[1, 0, 0xfe, 0xff], // the byte, one for alignment, the number
    ],
  );
});

/** Values of a signature, and what is read of them: variants come as what is in them. */
const pairs: fc.Arbitrary<readonly [string, Written, unknown]> = fc.letrec<{
  any: readonly [string, Written, unknown];
}>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 0, max: 255 }).map((x) => ["y", x, x] as const),
    fc.boolean().map((x) => ["b", x, x] as const),
    fc.integer({ min: -32768, max: 32767 }).map((x) => ["n", x, x] as const),
    fc.integer({ min: 0, max: 0xffff_ffff }).map((x) => ["u", x, x] as const),
    fc.double({ noNaN: true }).map((x) => ["d", x, x] as const),
    fc.string().map((x) => ["s", x, x] as const),
    fc.uint8Array().map((x) => ["ay", x, x] as const),
    fc.array(fc.string()).map((x) => ["as", x, x] as const),
    tie("any").map(([signature, value, told]) => ["v", { signature, value }, told] as const),
    tie("any").map(([signature, value, told]) => [`(y${signature})`, [3, value], [3, told]] as const),
    fc
      .dictionary(fc.string({ minLength: 1 }), tie("any"))
      .map(
        (given) =>
          [
            "a{sv}",
            Object.fromEntries(Object.entries(given).map(([key, [signature, value]]) => [key, { signature, value }])),
            new Map(Object.entries(given).map(([key, one]) => [key, one[2]])),
          ] as const,
      ),
  ),
})).any;

test("readMessage() reads what callBytes() wrote, however the bytes were torn", () => {
  fc.assert(
    fc.property(fc.array(pairs, { maxLength: 4 }), fc.integer({ min: 1, max: 64 }), (given, piece) => {
      const signature = given.map(([one]) => one).join("");
      fc.pre(signature.length < 200);
      const bytes = Buffer.from(callBytes({ ...call, signature, body: given.map(([, value]) => value) }, 9));
      const stream = new MessageStream();
      const both = Buffer.concat([bytes, bytes]);
      const told = [];
      for (let at = 0; at < both.length; at += piece) told.push(...stream.push(both.subarray(at, at + piece)));
      assert.equal(told.length, 2);
      for (const message of told) {
        assert.deepEqual(
          message.body,
          given.map(([, , value]) => value),
        );
        assert.deepEqual([message.path, message.member, message.serial], ["/c", "F", 9]);
      }
    }),
    { numRuns: 200 },
  );
});

test("readMessage() of anything is a message or mapper/bad-answer, never more", () => {
  const valid = Buffer.from(
    callBytes(
      { ...call, signature: "sa{sv}as", body: ["x", { y: { signature: "ay", value: Uint8Array.of(1) } }, ["z"]] },
      1,
    ),
  );
  const tried = (bytes: Buffer) => {
    try {
      new MessageStream().push(bytes);
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === "mapper/bad-answer", String(error));
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 200 }), (bytes) =>
      tried(Buffer.concat([Buffer.from("l\x04\x00\x01"), bytes])),
    ),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        tried(bytes);
      },
    ),
    { numRuns: 1000 },
  );
});

test("messageLength() refuses what would fill the memory", () => {
  const bytes = Buffer.from(callBytes(call, 1));
  bytes.writeUInt32LE(0x7fff_ffff, 4);
  assert.throws(() => messageLength(bytes), { code: "mapper/bad-answer" });
  assert.equal(messageLength(bytes.subarray(0, 15)), null);
});

test("readMessage() refuses signatures that would never end", () => {
  for (const signature of ["a()", `${"a".repeat(40)}y`, "(y", "a{vs}", "z", ")"]) {
    assert.throws(() => callBytes({ ...call, signature, body: [[]] }, 1), { code: "mapper/bad-answer" }, signature);
  }
});
