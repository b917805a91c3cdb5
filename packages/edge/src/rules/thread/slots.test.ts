import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Slots } from "./slots.ts";

test("no more than the slots are under way, the rest follows in its order, also after what failed", async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const ends: { resolve(): void; reject(error: Error): void }[] = [];
  const all = [0, 1, 2, 3].map((n) =>
    slots
      .within(() => {
        begun.push(n);
        return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }));
      })
      .then(
        () => "done",
        (error: Error) => error.message,
      ),
  );
  await turn();
  assert.deepEqual(begun, [0, 1]);
  ends[1]!.reject(new Error("broken"));
  await turn();
  assert.deepEqual(begun, [0, 1, 2]);
  for (const at of [0, 2]) ends[at]!.resolve();
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3]);
  ends[3]!.resolve();
  assert.deepEqual(await Promise.all(all), ["done", "broken", "done", "done"]);
});
