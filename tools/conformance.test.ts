import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { needs } from "@penstock/testkit";
import { runNode } from "../packages/mapper-sdk/src/check-module.ts";
import { conformancePath, mappersWithDeclared, unplayed } from "./conformance.ts";
import { root } from "./repository.ts";

const mappers = await mappersWithDeclared();
const wants = (mapper: string) => (mapper === "ble" ? needs("dbus") : {});

for (const [mapper, declared] of mappers) {
  test(`the mapper ${mapper} plays every case of the conformance suite`, wants(mapper), async () => {
    const path = conformancePath(mapper);
    assert.ok(existsSync(path), `${path} calls conformance() of the kit`);
    const { stdout } = await runNode(["--test", "--test-reporter=tap", path], { folder: root, patienceMs: 300_000 });
    assert.deepEqual(unplayed(mapper, declared, stdout), []);
  });
}

test("only a mapper that touches nothing outside its process has anything that does not apply", () => {
  const declaring = [...mappers].filter(([, declared]) => Object.keys(declared).length > 0);
  assert.deepEqual(
    declaring.map(([mapper]) => mapper),
    ["virtual"],
  );
});

test("unplayed() names a case that is left out, that fails, is skipped, or is declared away behind the page's back", () => {
  const title = "scale: garbage: garbage is no value, and does no harm later";
  const said = (line: string, declared = {}) =>
    unplayed("scale", declared, line).filter((one) => one.startsWith("scale: garbage: "));
  const away = { garbage: "it knows none" };
  assert.deepEqual(said(`ok 1 - ${title}`), []);
  assert.deepEqual(said(`ok 1 - ${title} # SKIP not applicable: it knows none`, away), []);
  assert.deepEqual(said(""), [`${title}: not there, not passed`]);
  assert.deepEqual(said(`not ok 1 - ${title}`), [`${title}: failed, not passed`]);
  assert.deepEqual(said(`ok 1 - ${title} # SKIP later`), [`${title}: skipped later, not passed`]);
  assert.deepEqual(said(`ok 1 - ${title} # SKIP not applicable: it knows none`), [
    `${title}: skipped not applicable: it knows none, not passed`,
  ]);
  assert.deepEqual(said(`ok 1 - ${title}`, away), [`${title}: passed, not skipped not applicable: it knows none`]);
});
