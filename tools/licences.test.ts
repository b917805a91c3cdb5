import assert from "node:assert/strict";
import { test } from "node:test";
import { isAllowed } from "./licences.ts";

test("isAllowed() follows SPDX expressions", () => {
  for (const good of ["MIT", "(MIT OR GPL-2.0)", "(BSD-3-Clause AND MIT)", "(MIT AND Apache-2.0) OR GPL-3.0"])
    assert.ok(isAllowed(good), good);
  for (const bad of ["GPL-3.0", "(MIT AND GPL-2.0)", "UNLICENSED", "SEE LICENSE IN x"]) assert.ok(!isAllowed(bad), bad);
});
