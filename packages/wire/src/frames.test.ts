import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, limits } from "@penstock/model";
import fc from "fast-check";
import { decodeFrame, decodeMessage, encodeFrame, encodeMessage, framePartBytes } from "./frames.ts";
import { encodeMapperFrame, MapperFrameReader } from "./mapper-frames.ts";
import { pack } from "./pack.ts";

test("frame golden vector", () => {
  const bytes = encodeFrame({ lane: 2, n: 300, more: true, part: new Uint8Array([0xde, 0xad]) });
  // array of 4; lane 2 = backlog; n 300 as uint16; more; bin of 2 bytes
  assert.equal(Buffer.from(bytes).toString("hex"), "9402cd012c01c402dead");
});

test("the largest part still makes a frame within the limit", () => {
  const bytes = encodeFrame({ lane: 255, n: 2 ** 40, more: false, part: new Uint8Array(framePartBytes) });
  assert.ok(bytes.length <= limits.frameBytes, String(bytes.length));
  assert.throws(() => encodeFrame({ lane: 0, n: 0, more: false, part: new Uint8Array(framePartBytes + 1) }), /16368/);
});

test("decodeFrame() round-trips, counts unknown fields and refuses the rest by name", () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(), fc.boolean(), fc.uint8Array({ maxLength: 200 }), (lane, n, more, part) => {
      assert.deepEqual(decodeFrame(encodeFrame({ lane, n, more, part })).n, n);
    }),
  );
  assert.equal(decodeFrame(pack([0, 1, 0, new Uint8Array(0), "later", 7])).unknownFields, 2);
  for (const [bytes, message] of [
    [pack([0, 1, 0]), /array of 4/],
    [pack([256, 1, 0, new Uint8Array(0)]), /lane 256/],
    [pack([0, -1, 0, new Uint8Array(0)]), /counter/],
    [pack([0, 1, 2, new Uint8Array(0)]), /more/],
    [pack([0, 1, 0, "text"]), /not bytes/],
    [new Uint8Array([0x94]), /not MessagePack/],
    [new Uint8Array(limits.frameBytes + 1), /16385 bytes/],
  ] as const) {
    assert.throws(() => decodeFrame(bytes), message);
  }
});

test("decodeFrame() and decodeMessage() answer any bytes with a value or link/…", () => {
  const good = encodeMessage({ t: "ack", ranges: [[1, 2]] } as never);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc
          .tuple(fc.nat(good.length - 1), fc.nat(255))
          .map(([at, b]) => Uint8Array.from(good, (x, i) => (i === at ? b : x))),
      ),
      (bytes) => {
        for (const decode of [decodeFrame, decodeMessage]) {
          try {
            decode(bytes);
          } catch (error) {
            assert.ok(error instanceof AppError && error.code.startsWith("link/"), String(error));
          }
        }
      },
    ),
    { numRuns: 5000 },
  );
});

test("MapperFrameReader.push() yields the same messages however the stream is cut, 64-bit integers exact", () => {
  const messages = [
    { t: "written", id: 1 },
    { t: "point", id: 2, value: 9223372036854775807n },
    { t: "log", message: "ü".repeat(300) },
  ];
  const stream = Buffer.concat(messages.map(encodeMapperFrame));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const reader = new MapperFrameReader();
      const seen: unknown[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = sizes[i % sizes.length]!;
        seen.push(...reader.push(stream.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(seen, messages);
    }),
  );
});

test("MapperFrameReader.push() refuses a frame beyond the limit before it holds it", () => {
  assert.throws(() => new MapperFrameReader().push(new Uint8Array([0xff, 0xff, 0xff, 0xff])), /4294967295 bytes/);
});
