import assert from "node:assert/strict";
import test from "node:test";
import { afterSession, healthyMicros, nextDelay, noBackOff } from "./back-off.ts";
import { decideCompression, noCompression } from "./compress.ts";
import { newWindow, windowAcked, windowBytes, windowRoom, windowSent } from "./window.ts";

/** A line that takes `bytesPerSecond` and answers `rttMs` later, always filled to the window. */
function fill(bytesPerSecond: number, rttMs: number, seconds: number) {
  let window = newWindow(0);
  let now = 0;
  let lineFreeAt = 0;
  const under: { bytes: number; ackAt: number }[] = [];
  while (now < seconds * 1e6) {
    for (let room = windowRoom(window); room > 0; room = windowRoom(window)) {
      const bytes = Math.min(room, 16_384);
      lineFreeAt = Math.max(lineFreeAt, now) + (bytes / bytesPerSecond) * 1e6;
      window = windowSent(window, bytes, now);
      under.push({ bytes, ackAt: lineFreeAt + rttMs * 1000 });
    }
    const next = under.shift()!;
    now = next.ackAt;
    window = windowAcked(window, next.bytes, now);
  }
  return window;
}

test("the window grows to 200 ms of what the line takes, and no further", () => {
  const fast = fill(10_000_000, 20, 10);
  assert.ok(windowBytes(fast) > 1_600_000 && windowBytes(fast) < 2_600_000, `${windowBytes(fast)} bytes`);
  const slow = fill(50_000, 100, 20);
  assert.equal(windowBytes(slow), 65_536);
});

test("an entry larger than the window goes when nothing else is under way", () => {
  const window = newWindow(0);
  assert.ok(windowRoom(window) > 0);
  const full = windowSent(window, 200_000, 0);
  assert.equal(windowRoom(full), 0);
  assert.ok(windowRoom(windowAcked(full, 200_000, 50_000)) > 0);
});

test("bodies are deflated once the line has been full and slow for two seconds, and no longer than that", () => {
  let state = noCompression;
  const look = (isFull: boolean, rate: number, seconds: number) => {
    state = decideCompression(state, { isFull, rate, now: seconds * 1e6 });
    return state.isOn;
  };
  assert.equal(look(true, 50_000, 0), false);
  assert.equal(look(true, 50_000, 1), false);
  assert.equal(look(true, 9e6, 1.5), false, "fast again: the two seconds begin anew");
  assert.equal(look(true, 50_000, 2), false);
  assert.equal(look(true, 50_000, 4.1), true);
  assert.equal(look(false, 50_000, 5), true);
  assert.equal(look(false, 50_000, 7.1), false);
});

test("waits between attempts grow to 30 s with full jitter, and start over after a healthy session", () => {
  let state = noBackOff;
  const longest: number[] = [];
  for (let i = 0; i < 8; i++) {
    assert.equal(nextDelay(state, 0).delayMs, 0);
    const next = nextDelay(state, 0.9999999);
    longest.push(Math.round(next.delayMs / 100) * 100);
    state = next.state;
  }
  assert.deepEqual(longest, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(afterSession(state, healthyMicros - 1), state);
  assert.equal(afterSession(state, healthyMicros), noBackOff);
});
