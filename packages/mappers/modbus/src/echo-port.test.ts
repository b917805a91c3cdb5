import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@penstock/mapper-sdk";
import fc from "fast-check";
import { FakePort } from "../test/fake-port.ts";
import { withoutEcho } from "./echo-port.ts";

function stage() {
  const fake = new FakePort(new ManualClock());
  const port = withoutEcho(fake);
  const heard: number[] = [];
  const spoilt: string[] = [];
  port.listen({ data: (chunk) => heard.push(...chunk), ended: () => {}, spoilt: (why) => spoilt.push(why) });
  return { fake, port, heard, spoilt };
}
const bytes = (min: number) => fc.uint8Array({ minLength: min, maxLength: 12 });

test("withoutEcho() takes exactly what was sent away, wherever the chunks are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(bytes(1), bytes(0)), { maxLength: 5 }),
      fc.infiniteStream(fc.nat({ max: 5 })),
      (turns, cuts) => {
        const { fake, port, heard, spoilt } = stage();
        const answers: number[] = [];
        for (const [sent, answer] of turns) {
          port.write(sent);
          const wire = Uint8Array.of(...sent, ...answer);
          for (let at = 0; at < wire.length; ) {
            const size = 1 + cuts.next().value!;
            fake.say(wire.subarray(at, at + size));
            at += size;
          }
          answers.push(...answer);
        }
        assert.deepEqual([heard, spoilt], [answers, []]);
      },
    ),
  );
});

test("withoutEcho() tells of the byte that differs and of all behind it, and believes nothing until the next write", () => {
  const { fake, port, heard, spoilt } = stage();
  port.write(Uint8Array.of(1, 3, 0, 7));
  fake.say(Uint8Array.of(1, 3));
  fake.say(Uint8Array.of(0x1f, 7, 9, 9));
  fake.say(Uint8Array.of(1, 2, 3));
  const why = "the adapter's echo differs from what was sent: 1f where 00 was sent";
  assert.deepEqual([heard, spoilt], [[], [why, why]], "who listens knows that the line is not silent");
  port.write(Uint8Array.of(5));
  fake.say(Uint8Array.of(5, 6));
  assert.deepEqual([heard, spoilt.length], [[6], 2]);
});

test("withoutEcho() does not wait for the echo of a frame that was given up", () => {
  const { fake, port, heard, spoilt } = stage();
  port.write(Uint8Array.of(1, 2, 3, 4));
  fake.say(Uint8Array.of(1, 2));
  port.write(Uint8Array.of(8, 9));
  fake.say(Uint8Array.of(8, 9, 10));
  assert.deepEqual([heard, spoilt], [[10], []]);
});
