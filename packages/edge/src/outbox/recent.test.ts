import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { OutboxEntry } from "@penstock/model";
import { recentEntries } from "./recent.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const heapBytes = () => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

test("recentEntries() keeps no more than its bytes, however small the entries are", () => {
  const recent = recentEntries({ bytes: 1_000_000 });
  const before = heapBytes();
  for (let seq = 1; seq <= 200_000; seq++) {
    recent.push({ firstSeq: seq, count: 1, body: new Uint8Array(1) } as unknown as OutboxEntry);
  }
  const taken = heapBytes() - before;
  assert.equal(recent.from(197_000), null);
  assert.notEqual(recent.from(198_000), null);
  // Without a count of what holds them the same bound kept all 200,000, which is 40 MB and more.
  assert.ok(taken < 20_000_000);
});
