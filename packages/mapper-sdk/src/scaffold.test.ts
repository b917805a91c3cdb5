import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AppError, parseManifest } from "@penstock/model";
import { checkRulesOfManifest } from "./check-manifest.ts";
import { checkMapper } from "./check-mapper.ts";
import { checkSources } from "./check-sources.ts";
import { conformanceCases } from "./conformance-cases.ts";
import { scaffoldMapper } from "./scaffold.ts";

const home = mkdtempSync(join(tmpdir(), "penstock-scaffold-"));
after(() => rmSync(home, { recursive: true, force: true }));
const kit = join(import.meta.dirname, "..");

const make = (name: string, folder = join(home, "made", name)) =>
  scaffoldMapper({ name, folder, template: join(kit, "template"), kit, taken: ["modbus"] });
const table = async (folder: string, more: { write?: boolean; tests?: boolean } = {}) =>
  (await checkMapper({ folder, kit, tests: false, ...more })).map(
    ({ level, what, field, value, rule }) => `${level} ${what} ${field} ${value} ${rule}`,
  );
function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(from), `${path} has ${from}`);
  writeFileSync(path, text.replace(from, to));
}
const rejects = (work: Promise<unknown>, field: string, rule: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof AppError);
    assert.deepEqual([error.code, error.fields.map((one) => one.field)], ["input/invalid", [field]]);
    assert.match(error.fields[0]!.rule, rule);
    return true;
  });

test("scaffoldMapper() makes a folder that stands the conformance suite as it is", async () => {
  const folder = join(home, "made/scale");
  const files = await make("scale");
  assert.ok(files.includes("src/index.ts") && files.includes(".gitignore"));
  for (const path of files) assert.doesNotMatch(readFileSync(join(folder, path), "utf8"), /new-mapper/, path);
  assert.deepEqual((await table(folder))[0], "missing manifest mapper.json (missing) must be there: --write writes it");
  assert.deepEqual(await table(folder, { write: true, tests: true }), [
    "ok manifest mapper.json scale 1.0.0 says what the mapper says",
    "ok permissions permissions network name what its modules import",
    "ok conformance test 13 passed stands whatever a device does",
    "ok tests test 3 passed its own",
  ]);
});

test("scaffoldMapper() refuses names and folders, and touches nothing that is there", async () => {
  for (const name of ["Scale", "-a", "a_b", "../a", "", "a".repeat(64)])
    await rejects(make(name, join(home, "refused")), "name", /DNS-1123/);
  await rejects(make("modbus"), "name", /comes with Penstock/);
  const folder = join(home, "there");
  mkdirSync(folder);
  await rejects(make("there", folder), "folder", /nothing is overwritten/);
  writeFileSync(join(home, "file"), "mine");
  await rejects(make("there", join(home, "file")), "folder", /nothing is overwritten/);
  assert.equal(readFileSync(join(home, "file"), "utf8"), "mine");
});

test("checkMapper() names what is out of date, and writes it when asked to", async () => {
  const folder = join(home, "made/mill");
  await make("mill");
  await table(folder, { write: true });
  const before = readFileSync(join(folder, "mapper.json"), "utf8");
  edit(join(folder, "src/index.ts"), "max: 999", "max: 500");
  const told = [
    "missing manifest mapper.json.visitor.properties.register.maximum 999 must be 500: --write writes it",
    'note manifest mapper.json.version "1.0.0" must change with what devices may state, once gateways have the mapper',
  ];
  assert.deepEqual((await table(folder)).slice(0, 2), told);
  assert.equal(readFileSync(join(folder, "mapper.json"), "utf8"), before);
  edit(join(folder, "src/index.ts"), "1.0.0", "1.1.0");
  assert.deepEqual((await table(folder)).slice(0, 2), [
    'missing manifest mapper.json.version "1.0.0" must be "1.1.0": --write writes it',
    told[0],
  ]);
  assert.equal(
    (await table(folder, { write: true }))[0],
    "ok manifest mapper.json mill 1.1.0 says what the mapper says",
  );
  assert.match(readFileSync(join(folder, "mapper.json"), "utf8"), /"maximum": 500/);
});

test("checkMapper() names a broken manifest, permissions, imports and a module that does not load", async () => {
  const folder = join(home, "made/lathe");
  await make("lathe");
  edit(join(folder, "src/index.ts"), '"1.0.0"', '"one"');
  const [broken] = await table(folder, { write: true });
  assert.match(broken!, /^missing manifest mapper\.json\.version "one" must match pattern/);
  edit(join(folder, "src/index.ts"), '"one"', '"1.0.0"');
  edit(join(folder, "src/index.ts"), 'permissions: ["network"]', "permissions: []");
  edit(
    join(folder, "src/lines.ts"),
    "import {",
    'import { readFileSync } from "node:fs";\nexport { readFileSync };\nimport {',
  );
  writeFileSync(join(home, "made/near.ts"), "export const near = 1;\n");
  edit(join(folder, "src/lines.ts"), "import {", 'export * from "../../near.ts";\nimport {');
  const told = await table(folder, { write: true });
  assert.deepEqual(told.slice(1), [
    'missing permissions permissions [] must name "network": src/connection.ts calls dial()',
    'missing imports src/lines.ts "../../near.ts" must stand in the mapper\'s folder: only that is installed',
    'missing permissions permissions [] must name "files": src/lines.ts imports "node:fs"',
  ]);
  // Only a type: nothing is touched by it.
  assert.match(readFileSync(join(folder, "src/connection.ts"), "utf8"), /import type .* "node:net"/);
  writeFileSync(join(folder, "src/index.ts"), 'throw new RangeError("no licence");\n');
  assert.deepEqual(await table(folder), ["missing module ./src/index.ts does not load RangeError: no licence"]);
  writeFileSync(join(folder, "src/index.ts"), "export const nothing = 1;\n");
  assert.deepEqual(await table(folder), [
    "missing module ./src/index.ts 0 mappers must export one that defineMapper made",
  ]);
});

test("checkMapper() names the conformance test that fails, and a suite that is not there", async () => {
  const folder = join(home, "made/press");
  await make("press");
  await table(folder, { write: true });
  // Takes any answer for its own.
  edit(
    join(folder, "src/connection.ts"),
    "this.#waiting.get(answer.number)?.(answer)",
    "for (const settle of this.#waiting.values()) settle(answer)",
  );
  const told = await table(folder, { tests: true });
  const late = "press: time-out: a device that says nothing costs a time-out, and its late answer is nobody's";
  assert.ok(
    told.some((one) => one.startsWith(`missing conformance ${late} failed must pass: Expected values`)),
    told.join("\n"),
  );
  rmSync(join(folder, "test/conformance.test.ts"));
  const without = await table(folder, { tests: true });
  assert.match(
    without.at(-1)!,
    /^missing conformance test "test\/values\.test\.ts" must call conformance\(\) of the kit/,
  );
});

test("checkMapper() shows what is declared not applicable, and a line's core cases cannot be", async () => {
  const folder = join(home, "made/crane");
  await make("crane");
  await table(folder, { write: true });
  const harness = join(folder, "test/conformance.test.ts");
  const declare = (what: string) => edit(harness, "  address: {},", `  address: {},\n  notApplicable: ${what},`);
  declare('{ reconnect: "it says all in datagrams" }');
  assert.deepEqual((await table(folder, { tests: true })).slice(2), [
    "ok conformance test 12 passed stands whatever a device does",
    "note conformance reconnect: a connection that the device ends is told, and can be opened again not applicable it says all in datagrams",
    "ok tests test 3 passed its own",
  ]);
  edit(harness, 'reconnect: "', 'garbage: "');
  const told = await table(folder, { tests: true });
  const garbage = "crane: garbage: garbage is no value, and does no harm later failed must pass";
  assert.deepEqual(told.slice(2), [
    `missing conformance ${garbage}: "garbage" cannot be declared not applicable: a mapper that may use network has a line`,
  ]);
  // A suite that somebody has written after the kit's, without the last case.
  const tests = conformanceCases.slice(0, -1).map((of) => `test("crane: ${of}: it does", () => {});`);
  writeFileSync(harness, ['import { test } from "node:test";', ...tests].join("\n"));
  assert.deepEqual((await table(folder, { tests: true })).slice(2), [
    "missing conformance killed and restarted (not played) must be played by conformance() of the kit",
  ]);
});

test("the mappers that come with Penstock name what they touch, and need nothing outside their folders", async () => {
  const mappers = join(kit, "../mappers");
  for (const name of readdirSync(mappers)) {
    const { permissions } = parseManifest(readFileSync(join(mappers, name, "mapper.json"), "utf8"));
    assert.deepEqual(await checkSources(join(mappers, name), permissions), [], name);
  }
});

test("a mapper that was made with another kit is named", () => {
  const manifest = parseManifest(readFileSync(join(kit, "../mappers/s7/mapper.json"), "utf8"));
  assert.deepEqual(checkRulesOfManifest(manifest), []);
  const [wrong] = checkRulesOfManifest({ ...manifest, sdk: { min: 2, max: 3 } });
  assert.equal(
    `${wrong!.field} ${wrong!.value} ${wrong!.rule}`,
    "mapper.json.sdk 2..3 must include one of 1..1, which this Penstock has",
  );
});

test("checkMapper() mends a link to the kit that leads nowhere", async () => {
  const folder = join(home, "made/saw");
  await make("saw");
  const link = join(folder, "node_modules/@penstock/mapper-sdk");
  rmSync(link);
  symlinkSync(join(home, "gone"), link);
  const told = await table(folder, { write: true });
  assert.equal(told[0], "note kit @penstock/mapper-sdk linked must be found from the folder; was not");
  assert.match(told[1]!, /^ok manifest/);
  await rejects(checkMapper({ folder: join(home, "none"), kit }), "folder", /must be there/);
});
