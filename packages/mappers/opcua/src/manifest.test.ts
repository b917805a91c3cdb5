import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { manifestText } from "@penstock/mapper-sdk";
import { parseManifest } from "@penstock/model";
import { opcua } from "./index.ts";

test("mapper.json is what the mapper says of itself; npm run generate writes it", async () => {
  const written = await readFile(join(import.meta.dirname, "../mapper.json"), "utf8");
  assert.equal(written, manifestText(opcua));
  assert.deepEqual(parseManifest(written), opcua.manifest);
});

// Half a second and 50 MB that no reader of settings should pay.
test("the library is loaded by opening a connection, not by reading the mapper's settings", async () => {
  const asked: string[] = [];
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      asked.push(specifier);
      return next(specifier, context);
    },
  });
  const again = "./index.ts?again";
  await import(again);
  hooks.deregister();
  assert.ok(asked.includes("./fields.ts"));
  assert.deepEqual(
    asked.filter((name) => name.startsWith("node-opcua") || name.includes("open-connection")),
    [],
  );
});
