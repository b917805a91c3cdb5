import assert from "node:assert/strict";
import { test } from "node:test";
import { unitText } from "./unit-text.ts";

test("unitText() writes units as people do, and leaves alone what it does not know", () => {
  const cases = {
    Cel: "°C",
    "{bottles}": "bottles",
    "{bottles}/h": "bottles/h",
    "Cel/min": "°C/min",
    "/min": "/min",
    "m3{gas}/h": "m³ gas/h",
    "kW.h": "kW·h",
    "{a.b}": "a.b",
    "m/min": "m/min",
    "%": "%",
    "°C": "°C",
    constructor: "constructor",
    "{": "{",
    "": "",
  };
  assert.deepEqual(
    Object.keys(cases).map((unit) => unitText(unit)),
    Object.values(cases),
  );
});
