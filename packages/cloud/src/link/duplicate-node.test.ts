import assert from "node:assert/strict";
import test from "node:test";
import type { BootId } from "@penstock/model";
import { duplicateWindowMicros, isDuplicate, noSightings, sawBoot } from "./duplicate-node.ts";

/** Hellos a minute apart unless told otherwise. */
function saw(boots: string, everyMicros = 60_000_000) {
  let state = noSightings;
  [...boots].forEach((boot, i) => {
    state = sawBoot(state, boot as BootId, i * everyMicros);
  });
  return isDuplicate(state, (boots.length - 1) * everyMicros);
}

test("isDuplicate() is for two boots in turns only, not for restarts and reconnects", () => {
  assert.equal(saw("a"), false);
  assert.equal(saw("aaaa"), false);
  assert.equal(saw("abcdef"), false);
  assert.equal(saw("aab"), false);
  assert.equal(saw("aba"), false, "a late hello of the old process may come once");
  assert.equal(saw("abab"), true);
  assert.equal(saw("aabbaab"), true);
  assert.equal(saw("acbab"), true);
});

test("isDuplicate() forgets what is older than ten minutes", () => {
  assert.equal(saw("abab", duplicateWindowMicros / 2), false);
});
