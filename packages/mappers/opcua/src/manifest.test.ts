import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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
