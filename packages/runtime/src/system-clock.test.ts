import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { sleep } from "./clock.ts";
import { machineBoot, systemClock } from "./system-clock.ts";

test("systemClock.now() starts at its floor when the machine's clock is below, and says so", () => {
  const floor = ((Date.now() + 3_600_000) * 1000) as Micros;
  const clock = systemClock({ floor });
  assert.equal(clock.isPlausible(), false);
  const first = clock.now();
  assert.ok(first >= floor && first < floor + 1_000_000, String(first - floor));
  assert.equal(systemClock().isPlausible(), true);
});

test("systemClock.now() never runs backwards when the machine's clock is set back", (t) => {
  const real = Date.now();
  let shift = 0;
  t.mock.method(Date, "now", () => real + shift);
  const clock = systemClock();
  const before = clock.now();
  shift = -10_000_000;
  const after = clock.now();
  assert.ok(after >= before && after < before + 1_000_000);
  shift = 10_000_000;
  assert.equal(clock.now(), (real + shift) * 1000);
});

test("sleep() rejects with the signal's reason and leaves no timer behind", async () => {
  const reason = new Error("enough");
  const abort = new AbortController();
  const waiting = sleep(systemClock(), 60_000, abort.signal);
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(sleep(systemClock(), 60_000, abort.signal), reason);
});

test("machineBoot() is the same in every process of a boot", () => {
  const script = 'import { machineBoot } from "./system-clock.ts"; console.log(machineBoot());';
  const other = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname });
  assert.equal(String(machineBoot()), other.toString().trim());
});
