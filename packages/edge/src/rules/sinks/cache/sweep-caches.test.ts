import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { realFiles } from "@penstock/runtime";
import { rule, site } from "../../rules-fixture.ts";
import { testFolder } from "../delivery/fake-server.ts";

const nobody = () => Promise.reject(new Error("away"));
/** A broker that nobody can reach: results stay on the disk. */
const away = { publish: nobody, readings: nobody, twin: { setLocally: nobody, callHere: nobody } };
const cached = (name: string, more: object = {}) =>
  rule(name, "SELECT level FROM `tank-01`", { actions: [{ mqtt: { topic: name, cache: {} } }], ...more });
const kept = (folder: string, name: string) => {
  const at = join(folder, "cache", name, "0-mqtt");
  return existsSync(at) ? readdirSync(at).filter((one) => one.endsWith(".results")).length : 0;
};
const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

test("what a rule kept goes with it: while others run, and at the next start; a stopped or refused one keeps it", async (t) => {
  const folder = testFolder();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { rules, apply, come, clock, metrics } = site({ files: realFiles(), folder, site: away });
  apply([cached("gone"), cached("stopped"), cached("refused"), cached("stays")]);
  await come({ level: 1 });
  await until(() => ["gone", "stopped", "refused", "stays"].every((name) => kept(folder, name) === 1));
  apply([cached("stopped", { isStopped: true }), cached("refused", { sql: "SELECT FROM" }), cached("stays")]);
  // The action ends first: it may write until then.
  await clock.advanceAsync(3000);
  await until(() => (metrics.totals().penstock_rules_swept_bytes_total ?? 0) > 0);
  assert.equal(kept(folder, "gone"), 0);
  assert.deepEqual(
    ["stopped", "refused", "stays"].map((name) => kept(folder, name)),
    [1, 1, 1],
  );
  const closed = rules.close();
  await clock.advanceAsync(3000);
  await closed;
  // Of a rule that was deleted while the gateway was off.
  mkdirSync(join(folder, "cache", "old", "3-http", "places"), { recursive: true });
  writeFileSync(join(folder, "cache", "old", "3-http", "000000000001.results"), "x".repeat(100));
  writeFileSync(join(folder, "cache", "old", "3-http", "places", "log"), "x");
  const next = site({ files: realFiles(), folder });
  next.apply([cached("stopped", { isStopped: true }), cached("refused"), cached("stays")]);
  await until(() => readdirSync(join(folder, "cache", "old", "3-http", "places")).length === 0);
  await until(() => next.metrics.totals().penstock_rules_swept_bytes_total === 101);
  await until(() => next.out.length === 2);
  assert.equal(kept(folder, "stopped"), 1);
  const over = next.rules.close();
  await next.clock.advanceAsync(3000);
  await over;
});
