import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readAllReadings } from "./read-all-readings.ts";
import { openStore, temporaryFolder } from "./store-fixture.ts";

// The promise: what commit() resolved for is there after a kill, and nothing is there twice.
test("commit() survives SIGKILL: every acknowledged batch is there exactly once", async () => {
  const folder = temporaryFolder();
  let acknowledged = 0;
  for (let life = 0; life < 2; life++) {
    const child = spawn(process.execPath, [fileURLToPath(new URL("./test-crash-child.ts", import.meta.url)), folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let heard = 0;
    let rest = "";
    child.stdout.on("data", (text: Buffer) => {
      const parts = (rest + text.toString()).split("\n");
      rest = parts.pop()!;
      for (const part of parts) {
        acknowledged = Math.max(acknowledged, Number(part));
        heard++;
      }
      // In the middle of its work, sealing included.
      if (heard > 200) child.kill("SIGKILL");
    });
    const [, signal] = await exited;
    assert.equal(signal, "SIGKILL");
    const seqs = Array.from(readAllReadings(folder), (r) => r.seq).sort((a, b) => a - b);
    assert.ok(seqs.length >= acknowledged, `${seqs.length} stored, ${acknowledged} acknowledged`);
    seqs.forEach((seq, i) => void assert.equal(seq, i + 1));
    // The next start finds nothing wrong either.
    const store = await openStore(folder);
    assert.equal((await store.stats()).readings, seqs.length);
    await store.close();
  }
});
