import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AppError, codeOf, errors, invalid, isRetriable } from "./errors.ts";

test("an error of another copy of model keeps its code", async () => {
  const folder = mkdtempSync(join(tmpdir(), "penstock-model-"));
  copyFileSync(join(import.meta.dirname, "errors.ts"), join(folder, "errors.ts"));
  const copy = (await import(join(folder, "errors.ts"))) as typeof import("./errors.ts");
  const error = new copy.AppError("mapper/device-busy", "Cannot read");
  assert.ok(error instanceof AppError);
  assert.equal(codeOf(error), "mapper/device-busy");
  assert.equal(isRetriable(error), true);
  rmSync(folder, { recursive: true });
});

test("a subclass of AppError knows its own", () => {
  class Special extends AppError {}
  assert.ok(new Special("internal", "x") instanceof AppError);
  assert.ok(new Special("internal", "x") instanceof Special);
  assert.ok(!(new AppError("internal", "x") instanceof Special));
});

test("codeOf() calls everything else internal, whatever it claims", () => {
  for (const other of [null, undefined, "text", new Error("x"), { code: "mapper/timeout" }])
    assert.equal(codeOf(other), "internal");
});

test("invalid() names field, value and rule of each field", () => {
  const error = invalid([{ field: "spec.node", value: "GW", rule: "must be a DNS-1123 label" }]);
  assert.equal(error.message, "Invalid spec.node: GW: must be a DNS-1123 label");
  assert.equal(error.code, "input/invalid");
});

test("every code is stage/condition or one of two words, and has a sentence", () => {
  for (const [code, spec] of Object.entries(errors)) {
    assert.match(code, /^([a-z]+\/[a-z-]+|internal|aborted)$/);
    assert.match(spec.means, /^[A-Z].*[^.]$/, code);
  }
});
