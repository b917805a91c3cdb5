import assert from "node:assert/strict";
import { test } from "node:test";
import { readingTimeText, timeText } from "./time-cell.ts";
import { roundedText, valueText } from "./value-cell.ts";

test("valueText() prints what was read, in the units of people", () => {
  assert.equal(valueText(34.8, "Cel"), "34.8 °C");
  assert.equal(valueText("9007199254740993", "{bottles}"), "9007199254740993 bottles");
  assert.equal(valueText(true, null), "true");
  assert.equal(valueText(null, "Cel"), "-");
});

test("roundedText() rounds what was computed, never 64-bit integers", () => {
  assert.equal(roundedText(35.016666666666666, "Cel"), "35.01667 °C");
  assert.equal(roundedText(0.1 + 0.2, null), "0.3");
  assert.equal(roundedText(42, null), "42");
  assert.equal(roundedText("9007199254740993", null), "9007199254740993");
  assert.equal(roundedText(null, "m"), "-");
});

test("timeText() cuts to the second, readingTimeText() to the millisecond", () => {
  const time = "2026-11-23T07:14:24.120999Z";
  assert.equal(timeText(time), "2026-11-23 07:14:24Z");
  assert.equal(readingTimeText(time), "2026-11-23 07:14:24.120Z");
  assert.equal(timeText(null), "-");
});
