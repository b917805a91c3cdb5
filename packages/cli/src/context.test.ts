import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { AppError } from "@penstock/model";
import { contextPath, loadContext, saveContext } from "./context.ts";

const folder = mkdtempSync(join(tmpdir(), "penstock-context-"));
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  process.env.XDG_CONFIG_HOME = folder;
  for (const name of ["SERVER", "TOKEN", "TENANT"]) delete process.env[`PENSTOCK_${name}`];
});
const own = { server: "https://plant.example:8443", token: "t".repeat(43), tenant: "acme", caPem: "ca" };

test("loadContext() uses the remembered login, and flags and environment above it", () => {
  saveContext(contextPath(), own);
  assert.deepEqual(loadContext({}), own);
  assert.deepEqual(loadContext({ server: `${own.server}/` }), own);
  assert.equal(loadContext({ tenant: "other" }).tenant, "other");
  process.env.PENSTOCK_TENANT = "third";
  assert.equal(loadContext({}).tenant, "third");
});

test("loadContext() never gives a remembered token to another server", () => {
  saveContext(contextPath(), own);
  const refuses = (error: unknown) => {
    assert.ok(error instanceof AppError);
    assert.match(error.message, /Not logged in at https:\/\/else\.example/);
    return true;
  };
  assert.throws(() => loadContext({ server: "https://else.example" }), refuses);
  process.env.PENSTOCK_SERVER = "https://else.example";
  assert.throws(() => loadContext({}), refuses);
  process.env.PENSTOCK_TOKEN = "u".repeat(43);
  assert.deepEqual(loadContext({}), { server: "https://else.example", token: "u".repeat(43), tenant: "default" });
});
