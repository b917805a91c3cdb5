import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { manifestVersion } from "@penstock/model";
import { silentLog } from "@penstock/runtime";
import { SimClock } from "@penstock/testkit";
import { openMapperFolders } from "./mapper-folders.ts";

function textOf(name: string, version: string): string {
  return JSON.stringify({
    ...{ manifest: manifestVersion, name, summary: "Test", version, sdk: { min: 1, max: 1 } },
    ...{ main: "./index.js", extent: null, permissions: [] },
    connection: { type: "object", properties: {} },
    address: { type: "object", properties: {} },
    visitor: { type: "object", properties: {} },
  });
}
async function setUp(t: TestContext) {
  const disk = new Map<string, string>();
  const put = (folder: string, text: string) => void disk.set(`/${folder}/mapper.json`, text);
  put("ours/press", textOf("press", "1.0.0"));
  put("theirs", textOf("lathe", "1.0.0"));
  put("theirs/press", textOf("press", "9.0.0"));
  const below = (folder: string) => [...disk.keys()].filter((path) => path.startsWith(`${folder}/`));
  const files = {
    list: async (folder: string) => [...new Set(below(folder).map((path) => path.split("/")[2]!))],
    exists: async (path: string) => disk.has(path),
    readAll: async (path: string) => new TextEncoder().encode(disk.get(path)),
  };
  const clock = new SimClock();
  const warnings: string[] = [];
  const log = { ...silentLog, with: () => log, warn: (fields: object) => void warnings.push(JSON.stringify(fields)) };
  const mappers = await openMapperFolders({ folders: ["/ours", "/theirs", "/missing"], files, clock, log });
  t.after(() => mappers.close());
  const changes: (readonly string[])[] = [];
  const forget = mappers.onChange((names) => changes.push(names));
  const look = () => clock.advanceAsync(6000);
  const named = () => mappers.list().map(({ name, version }) => `${name} ${version}`);
  return { disk, put, mappers, changes, forget, look, named, warnings };
}

test("openMapperFolders() finds mappers in folders and one level below, of one name the first", async (t) => {
  const { mappers, named } = await setUp(t);
  assert.deepEqual(named(), ["press 1.0.0", "lathe 1.0.0"]);
  const [press] = mappers.list();
  const text = textOf("press", "1.0.0");
  assert.equal(press?.hash, createHash("sha256").update(text).digest("hex"));
  assert.equal(new TextDecoder().decode(mappers.manifest(press.hash)!), text);
  assert.equal(mappers.manifest("0".repeat(64)), null);
});

// A mapper that somebody writes is installed and changed while the gateway collects with others.
test("mappers that come, change and go are told by name; a file half written keeps what was there", async (t) => {
  const { disk, put, changes, look, named, forget, warnings } = await setUp(t);
  put("ours/mill", textOf("mill", "0.1.0"));
  await look();
  assert.deepEqual(changes, [["mill"]]);
  assert.deepEqual(named(), ["mill 0.1.0", "press 1.0.0", "lathe 1.0.0"]);
  put("ours/mill", textOf("mill", "0.1.0").slice(0, 50));
  await look();
  await look();
  assert.deepEqual([changes.length, named()[0]], [1, "mill 0.1.0"]);
  assert.equal(warnings.length, 1, "said once");
  put("ours/mill", textOf("mill", "0.2.0"));
  await look();
  assert.deepEqual([changes[1], named()[0]], [["mill"], "mill 0.2.0"]);
  disk.delete("/ours/press/mapper.json");
  await look();
  assert.deepEqual([changes[2], named()], [["press"], ["mill 0.2.0", "lathe 1.0.0", "press 9.0.0"]]);
  forget();
  disk.delete("/ours/mill/mapper.json");
  await look();
  assert.equal(changes.length, 3);
});
