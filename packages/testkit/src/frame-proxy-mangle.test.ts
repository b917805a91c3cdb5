import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, encodeFrame } from "@penstock/wire";
import { Mangler, type Mangling } from "./frame-proxy-mangle.ts";
import { FrameSplitter, rawFrame } from "./frame-proxy-split.ts";
import { SimRandom } from "./sim-random.ts";

const head = Buffer.from("GET /link HTTP/1.1\r\n\r\n");
const bytesOf = (lane: number, n: number, text: string, more = false) =>
  rawFrame(encodeFrame({ lane, n, more, part: Buffer.from(text) }), true);

/** Sends what it is given through a mangler and reads what comes out at the other end. */
function through(how: Mangling, sent: readonly Uint8Array[], chance = 1): string[] {
  const mangler = new Mangler({ random: new SimRandom(3), chance, isMasked: true });
  const [near, far] = [new FrameSplitter(), new FrameSplitter()];
  const line = Buffer.concat([head, ...sent]);
  const out: Uint8Array[] = [];
  // In small pieces, because a line cuts where it likes.
  for (let at = 0; at < line.length; at += 7) {
    for (const raw of near.push(line.subarray(at, at + 7))) out.push(...mangler.push(raw, how));
  }
  out.push(...mangler.release());
  return far.push(Buffer.concat(out)).flatMap(({ message }) => {
    if (message === null) return [];
    const { lane, n, more, part } = decodeFrame(message);
    return [`${lane}:${n}${more ? "+" : ""} ${Buffer.from(part).toString()}`];
  });
}
const long = "x".repeat(300);

test("Mangler.push() passes frames of every length and mask unchanged", () => {
  const masked = Buffer.from(rawFrame(encodeFrame({ lane: 1, n: 0, more: false, part: Buffer.from("a") }), true));
  // 4 bytes of mask behind 2 of header.
  for (let i = 0; i < masked.length - 2; i++) masked[i + 2] = i < 4 ? i + 1 : masked[i + 2]! ^ ((i % 4) + 1);
  assert.deepEqual(through("pass", [masked, bytesOf(1, 1, long)]), ["1:0 a", `1:1 ${long}`]);
});

test("Mangler.push() repeats frames as they are and messages under numbers of their own, never the first", () => {
  const sent = [bytesOf(0, 0, "hello"), bytesOf(1, 0, "a", true), bytesOf(1, 1, "b"), bytesOf(1, 2, "c")];
  const got = through("duplicate", sent);
  assert.equal(got[0], "0:0 hello");
  assert.deepEqual(got.slice(1, 3), ["1:0+ a", "1:0+ a"]);
  assert.equal(got.filter((frame) => frame.startsWith("0:")).length, 1);
  // Whatever was chosen: numbers go up by one, or repeat the frame before.
  const rest = got.slice(1).map((frame) => Number(/:(\d+)/.exec(frame)![1]));
  for (const [i, n] of rest.entries()) if (i > 0) assert.ok(n === rest[i - 1] || n === rest[i - 1]! + 1 || n === 0);
});

test("Mangler.push() numbers on what follows a repeated message", () => {
  const sent = [bytesOf(0, 0, "hello"), ...Array.from({ length: 50 }, (_, n) => bytesOf(1, n, `m${n}`))];
  const got = through("duplicate", sent, 0.5).slice(1);
  const byNumber = new Map(got.map((frame) => [Number(/:(\d+)/.exec(frame)![1]), frame.split(" ")[1]!]));
  // Taken in order of their numbers and once each, as a receiver takes them, some messages come twice and none is missing.
  const texts = [...byNumber].sort(([a], [b]) => a - b).map(([, text]) => text);
  assert.ok(texts.length > 50);
  assert.deepEqual(
    [...new Set(texts)],
    Array.from({ length: 50 }, (_, n) => `m${n}`),
  );
  assert.deepEqual(
    [...byNumber.keys()].sort((a, b) => a - b),
    Array.from(texts.keys()),
  );
});

test("Mangler.push() lets a frame be overtaken by the next and loses none", () => {
  const sent = [bytesOf(0, 0, "hello"), bytesOf(1, 0, "a"), bytesOf(1, 1, "b"), bytesOf(1, 2, "c")];
  assert.deepEqual(through("reorder", sent), ["0:0 hello", "1:1 b", "1:0 a", "1:2 c"]);
});
