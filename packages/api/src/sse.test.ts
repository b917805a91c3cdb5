import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatEvent, readEvents, type ServerSentEvent } from "./sse.ts";

function streamOf(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      let from = 0;
      for (const to of [...places, bytes.length]) {
        if (to > from) controller.enqueue(bytes.slice(from, to));
        from = to;
      }
      controller.close();
    },
  });
}
async function all(text: string, cuts: readonly number[] = []): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readEvents(streamOf(new TextEncoder().encode(text), cuts))) events.push(event);
  return events;
}

test("readEvents() gives back what formatEvent() wrote, however the bytes are cut", async () => {
  const event = fc.record({ event: fc.constantFrom("readings", "twin"), data: fc.jsonValue() });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 10 }), async (events, cuts) => {
      const text = events.map((one) => `: still here\n\n${formatEvent(one.event, one.data)}`).join("");
      const read = await all(text, cuts);
      const seen = read.map((one) => ({ event: one.event, data: JSON.parse(one.data) as unknown }));
      assert.deepEqual(seen, JSON.parse(JSON.stringify(events)));
    }),
    { numRuns: 200 },
  );
});

test("readEvents() reads all three line ends, several data lines and ids, and leaves out what was not finished", async () => {
  const text = "id: 7\r\ndata: a\r\ndata:b\r\n\r\nevent: x\rdata: c\r\rdata: cut off";
  for (let cut = 0; cut < text.length; cut++) {
    assert.deepEqual(await all(text, [cut]), [
      { event: "message", data: "a\nb", id: "7" },
      { event: "x", data: "c", id: "7" },
    ]);
  }
});
