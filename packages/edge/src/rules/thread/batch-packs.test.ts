import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromSamples, type DeviceUid, type Layout, type Micros, type Sample } from "@penstock/model";
import { BatchPacker, BatchUnpacker } from "./batch-packs.ts";

const layout = (device: string): Layout => ({
  ...{ id: 0, device: device.padEnd(32, "0") as DeviceUid },
  properties: [
    { name: "count", type: "int64" },
    { name: "level", type: "float64" },
    { name: "name", type: "string" },
  ],
});
const [a, b] = [layout("a"), layout("b")];
function batch(of: Layout, level: number) {
  const at = { time: 1_700_000_000_000_000 as Micros, quality: "good", reason: null } as const;
  const samples: Sample[] = [
    { ...at, property: "count", value: 2n ** 63n - 1n },
    { ...at, property: "level", value: level },
    { ...at, property: "name", value: null, quality: "bad", reason: "mapper/timeout" },
  ];
  return batchFromSamples({ layout: of, samples }).batch;
}
/** as a message has it: copied, so that nothing is shared */
const copied = structuredClone;

test("batches come out as they went in, of one layout with one object, which goes once", () => {
  const packer = new BatchPacker();
  const unpacker = new BatchUnpacker();
  const first = packer.pack([batch(a, 1.5), batch(b, 2.5), batch(a, 3.5)]);
  const second = packer.pack([batch(b, 4.5)]);
  assert.deepEqual([first.layouts.length, second.layouts.length], [2, 0]);
  const [one, two, three] = unpacker.unpack(copied(first));
  const [four] = unpacker.unpack(copied(second));
  assert.deepEqual([one, two, three, four], [batch(a, 1.5), batch(b, 2.5), batch(a, 3.5), batch(b, 4.5)]);
  assert.equal(one!.layout, three!.layout);
  assert.equal(two!.layout, four!.layout);
});

test("what is packed shares its bytes with nothing else", () => {
  const { bytes, batches } = new BatchPacker().pack([batch(a, 1), batch(b, 2)]);
  assert.equal(bytes.buffer.byteLength, batches.at(-1)!.end);
});

test("however many layouts there were, both ends know a bounded number, and go on", () => {
  const packer = new BatchPacker();
  const unpacker = new BatchUnpacker();
  let anew = 0;
  for (let at = 0; at < 15_000; at++) {
    const packed = packer.pack([batch(layout("a"), at)]);
    if (packed.isAnew) anew++;
    const [found] = unpacker.unpack(packed);
    if (at % 5000 === 0) assert.deepEqual(found, batch(a, at));
  }
  assert.equal(anew, 2);
});
