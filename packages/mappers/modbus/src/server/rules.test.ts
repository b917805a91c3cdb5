import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAgainstManifest } from "@penstock/model";
import { modbus } from "../index.ts";

const given = (role: string, access: "read" | "readWrite", table: string) => {
  const known = { connection: { host: "127.0.0.1", role }, address: {} };
  const property = { access, type: "bool", at: "p" } as const;
  return checkAgainstManifest(modbus.manifest, { visitor: { table, offset: 1 } }, {}, { known, property }).length;
};

test("input registers and discrete inputs may be set where this end is the server, and nowhere else", () => {
  for (const table of ["input", "discrete"]) {
    assert.deepEqual([given("client", "read", table), given("client", "readWrite", table)], [0, 1]);
    assert.equal(given("server", "readWrite", table), 0);
  }
});

test("what says how a server answers is refused for a client", () => {
  const errors = checkAgainstManifest(modbus.manifest, { connection: { host: "h", idleMs: 5000 } });
  assert.deepEqual(
    errors.map(({ field }) => field),
    ["connection.idleMs"],
  );
});
