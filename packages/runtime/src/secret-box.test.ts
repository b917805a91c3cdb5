import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "./random.ts";
import { isSealed, keyIdOf, sealedPrefix, secretBox } from "./secret-box.ts";

const key = (fill: number) => new Uint8Array(32).fill(fill);
const box = secretBox([key(1)], systemRandom);

test("secretBox opens what it sealed, empty and long, as bytes and as text", () => {
  for (const plain of ["", "hunter2", "ö".repeat(5000)]) {
    const sealed = box.sealText(plain, "t1/c1/password");
    assert.ok(sealed.startsWith(sealedPrefix));
    assert.match(sealed.slice(sealedPrefix.length), /^[\w-]+$/);
    assert.equal(box.openText(sealed, "t1/c1/password"), plain);
    assert.ok(isSealed(box.seal(Buffer.from(plain), "x")));
  }
  assert.ok(!isSealed(Buffer.from(JSON.stringify({ version: 1, devices: [], connections: [] }))));
});

// Two equal passwords must not show that they are equal, and one nonce twice would give the key's secret away.
test("secretBox never seals the same twice alike", () => {
  const sealed = new Set(Array.from({ length: 100 }, () => box.sealText("hunter2", "x")));
  assert.equal(sealed.size, 100);
  assert.doesNotMatch([...sealed].join(""), /hunter2|aHVudGVyM/);
});

// Whoever may write to the disk must not give one tenant another's password.
test("secretBox opens nothing in another place, nor anything that was changed", () => {
  const sealed = box.seal(Buffer.from("hunter2"), "t1/c1/password");
  assert.throws(() => box.open(sealed, "t2/c1/password"), { code: "data/corrupt" });
  for (const at of sealed.keys()) {
    const changed = Buffer.from(sealed);
    changed[at] = changed[at]! ^ 1;
    assert.throws(() => box.open(changed, "t1/c1/password"), /Cannot open a secret/, `byte ${at}`);
  }
  for (const length of [0, 4, 20, 35]) {
    assert.throws(() => box.open(sealed.subarray(0, length), "t1/c1/password"), { code: "data/corrupt" });
  }
});

test("secretBox seals by its first key and opens by each; without the key it names the one it needs", () => {
  const both = secretBox([key(2), key(1)], systemRandom);
  const old = box.sealText("hunter2", "x");
  assert.equal(both.openText(old, "x"), "hunter2");
  assert.deepEqual([both.isOfOlderKey(old), both.isOfOlderKey(both.sealText("a", "x"))], [true, false]);
  assert.throws(
    () => box.openText(both.sealText("a", "x"), "x"),
    ({ code, message }: { code: string; message: string }) =>
      code === "data/key-missing" && message.includes(keyIdOf(key(2))),
  );
});
