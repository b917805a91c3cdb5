import assert from "node:assert/strict";
import test from "node:test";
import { inflateRawSync } from "node:zlib";
import type { DeviceUid, Layout, OutboxEntry } from "@penstock/model";
import { readingsMessage } from "./readings-message.ts";

function layout(id: number, width: number): Layout {
  const properties = Array.from({ length: width }, (_, i) => ({ name: `p${i}`, type: "bool" as const }));
  return { id, device: `device-${id}` as DeviceUid, properties };
}
/** Ends in nil, as a body without a doubted clock does. */
function entry(firstSeq: number, of: Layout, bytes: number): OutboxEntry {
  const body = new Uint8Array(bytes).fill(7);
  body[bytes - 1] = 0xc0;
  return { firstSeq, count: 1, layout: of, body };
}
const plain = { lane: "live", boot: null, compress: false } as const;

test("readingsMessage() sends a layout with its first use in the session only", () => {
  const a = layout(1, 3);
  const b = layout(2, 3);
  const entries = [entry(1, a, 10), entry(2, b, 10), entry(3, a, 10)];
  const first = readingsMessage({ ...plain, entries, layoutsSent: new Set([2]) });
  assert.deepEqual(
    first.message.layouts.map(({ id }) => id),
    [1],
  );
  assert.deepEqual(first.newLayouts, [1]);
  assert.equal(first.message.entries.length, 3);
});

test("readingsMessage() takes only as many entries as their layouts leave room for, at least one", () => {
  const entries = [1, 2, 3].map((id) => entry(id, layout(id, 10_000), 10));
  assert.equal(readingsMessage({ ...plain, entries, layoutsSent: new Set() }).sent.length, 2);
  const one = [entry(1, layout(1, 30_000), 10)];
  assert.equal(readingsMessage({ ...plain, entries: one, layoutsSent: new Set() }).sent.length, 1);
});

test("readingsMessage() deflates bodies where that makes them smaller, and weighs what goes over the line", () => {
  const entries = [entry(1, layout(1, 1), 5000), entry(2, layout(1, 1), 40)];
  const { message, sent } = readingsMessage({ ...plain, compress: true, entries, layoutsSent: new Set() });
  const [large, small] = message.entries;
  assert.equal(large?.[4], 1);
  assert.deepEqual(new Uint8Array(inflateRawSync(large![3])), entries[0]!.body);
  assert.ok(sent[0]!.bytes < 100);
  assert.equal(small?.[4], undefined);
});
