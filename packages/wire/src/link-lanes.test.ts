import assert from "node:assert/strict";
import test from "node:test";
import { codeOf, limits } from "@penstock/model";
import fc from "fast-check";
import { decodeFrame, type Frame } from "./frames.ts";
import { earlyFramesBound, type LaneMessage, newLaneReceiver, receiveFrame, splitMessage } from "./link-lanes.ts";
import type { Lane } from "./messages.ts";

function receiveAll(frames: readonly Frame[]) {
  let receiver = newLaneReceiver();
  const messages: LaneMessage[] = [];
  for (const frame of frames) {
    const taken = receiveFrame(receiver, frame);
    receiver = taken.receiver;
    messages.push(...taken.messages);
  }
  return { receiver, messages };
}

test("receiveFrame() gives each lane's messages in order and once, whatever is repeated or swapped", () => {
  const lane = fc.constantFrom<Lane>("control", "live", "backlog");
  const message = fc.record({ lane, size: fc.constantFrom(0, 1, 100, 16_368, 16_369, 40_000) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 20 }), (sent, faults) => {
      const nextN = new Map<Lane, number>();
      const frames = sent.flatMap(({ lane, size }, i) => {
        const cut = splitMessage({ lane, n: nextN.get(lane) ?? 0, bytes: new Uint8Array(size).fill(i + 1) });
        nextN.set(lane, (nextN.get(lane) ?? 0) + cut.length);
        for (const frame of cut) assert.ok(frame.length <= limits.frameBytes);
        return cut.map(decodeFrame);
      });
      for (const fault of faults) {
        if (frames.length < 2) break;
        const at = fault % (frames.length - 1);
        if (fault % 2 === 0) frames.splice(at, 0, frames[at]!);
        else [frames[at], frames[at + 1]] = [frames[at + 1]!, frames[at]!];
      }
      const { messages, receiver } = receiveAll(frames);
      for (const lane of ["control", "live", "backlog"] as const) {
        const wanted = sent.flatMap((m, i) => (m.lane === lane ? [`${m.size}:${m.size > 0 ? i + 1 : 0}`] : []));
        const got = messages.filter((m) => m.lane === lane).map((m) => `${m.bytes.length}:${m.bytes[0] ?? 0}`);
        assert.deepEqual(got, wanted);
      }
      assert.equal(receiver.counts.duplicates, faultsThatRepeated(faults, sent.length === 0 ? 0 : frames.length));
    }),
    { numRuns: 200 },
  );
});

/** Repeats happen from two frames on only, as above. */
function faultsThatRepeated(faults: readonly number[], framesAtEnd: number): number {
  return framesAtEnd < 2 ? 0 : faults.filter((fault) => fault % 2 === 0).length;
}

test("receiveFrame() ignores and counts a lane that it does not know", () => {
  const { receiver, messages } = receiveAll([
    { lane: 17, n: 5, more: false, part: new Uint8Array(3), unknownFields: 0 },
    { lane: 0, n: 0, more: false, part: new Uint8Array(3), unknownFields: 2 },
  ]);
  assert.equal(messages.length, 1);
  assert.equal(receiver.counts.unknownLanes, 1);
  assert.equal(receiver.counts.unknownFields, 2);
});

test("receiveFrame() gives up when a frame stays missing", () => {
  let receiver = newLaneReceiver();
  const early = (n: number): Frame => ({ lane: 1, n, more: false, part: new Uint8Array(1), unknownFields: 0 });
  for (let n = 1; n <= earlyFramesBound; n++) receiver = receiveFrame(receiver, early(n)).receiver;
  assert.throws(
    () => receiveFrame(receiver, early(earlyFramesBound + 1)),
    (error) => codeOf(error) === "link/bad-frame",
  );
});

test("receiveFrame() refuses a message beyond the limit of now", () => {
  let receiver = newLaneReceiver(20_000);
  const part = (n: number): Frame => ({ lane: 0, n, more: true, part: new Uint8Array(15_000), unknownFields: 0 });
  receiver = receiveFrame(receiver, part(0)).receiver;
  assert.throws(
    () => receiveFrame(receiver, part(1)),
    (error) => codeOf(error) === "link/frame-too-large",
  );
});
