import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SimRandom } from "@penstock/testkit";
import { cutPower } from "./cut-power.ts";

test("cutPower() leaves of each file what was synced, and garbage only where something was being written", (t) => {
  const root = mkdtempSync(join(tmpdir(), "penstock-cut-power-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "edge");
  mkdirSync(join(folder, "outbox/cursors"), { recursive: true });
  const files = {
    "outbox/000000000001.segment": "closed and synced",
    "outbox/000000000002.segment": "synced|not synced",
    "outbox/cursors/log-10": "older",
    "outbox/cursors/log-9": "oldest",
    "outbox/cursors/snapshot-10": "never synced",
    "node.key": "not ours to cut",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const [first, second] = [join(root, "synced-1"), join(root, "synced-2")];
  const line = (name: string, length: number) => `${length} ${join(folder, name)}\n`;
  writeFileSync(first, `${line("outbox/000000000001.segment", 17) + line("outbox/000000000002.segment", 3)}99 /torn`);
  const journals = line("outbox/cursors/log-10", 5) + line("outbox/cursors/log-9", 6);
  writeFileSync(second, line("outbox/000000000002.segment", 7) + journals);

  const spoilt = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const done = cutPower({ folder, syncWitnesses: [first, second], garbageBytes: 50, random: new SimRandom(seed) });
    assert.equal(done.cut, 2);
    const after = (name: string) => readFileSync(join(folder, name)).toString("latin1");
    assert.equal(after("outbox/000000000001.segment"), "closed and synced");
    assert.equal(after("outbox/cursors/log-9"), "oldest");
    assert.equal(after("node.key"), "not ours to cut");
    assert.equal(after("outbox/000000000002.segment").slice(0, 7), "synced|");
    assert.notEqual(after("outbox/000000000002.segment"), files["outbox/000000000002.segment"]);
    for (const [name, durable] of [
      ["outbox/000000000002.segment", 7],
      ["outbox/cursors/log-10", 5],
      ["outbox/cursors/snapshot-10", 0],
    ] as const)
      if (after(name).length > durable) spoilt.add(name);
  }
  assert.equal(spoilt.size, 3);
});
