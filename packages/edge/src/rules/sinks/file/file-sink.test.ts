// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock, SimRandom, simDisk } from "@penstock/testkit";
import { outputOf, testParts } from "../delivery/delivery-fixture.ts";
import { FileShelf } from "./file-shelf.ts";
import { openFile } from "./file-sink.ts";

const setup = () => {
  const disk = simDisk({ random: new SimRandom(4) });
  const text = async (name: string) => new TextDecoder().decode(await disk.files.readAll(`/data/rules/files/${name}`));
  return { disk, text, tested: () => testParts({ clock: new SimClock(), files: disk.files }) };
};

test("what is taken is a line of the file, also after the power went", async () => {
  const { disk, text, tested } = setup();
  const one = openFile({ name: "${device}.jsonl" }, tested().parts);
  await one.take(outputOf({ device: "a", n: 1n, text: "two\nlines" }, { device: "b", n: 2n }));
  disk.crash();
  assert.equal(await text("a.jsonl"), '{"device":"a","n":1,"text":"two\\nlines"}\n');
  // A cut left half a line.
  const file = await disk.files.openAppend("/data/rules/files/a.jsonl");
  await file.append(new TextEncoder().encode('{"dev'));
  const two = openFile({ name: "${device}.jsonl", fields: ["n"] }, tested().parts);
  await two.take(outputOf({ device: "a", n: 3n }));
  assert.deepEqual((await text("a.jsonl")).split("\n").slice(1), ['{"dev', '{"n":3}', ""]);
});

test("a name that leads elsewhere is refused", async () => {
  const { disk, tested } = setup();
  const { parts, counted } = tested();
  const sink = openFile({ name: "${name}" }, parts);
  for (const name of ["../keys", "a/b", "a\\b", "..", ".hidden", "", "a\u0000b", "x".repeat(129)])
    await sink.take(outputOf({ name }));
  assert.equal(counted("given_up_rows"), 8);
  assert.deepEqual(await disk.files.list("/data/rules/files"), []);
});

test("CSV has a head, quotes what needs it, and keeps its columns over a restart", async () => {
  const { text, tested } = setup();
  const first = tested();
  const before = openFile({ name: "t.csv", format: "csv" }, first.parts);
  await before.take(outputOf({ "a,b": 'x "y"', n: 1n }, { "a,b": "line\nbreak", n: null }));
  await before.close();
  const second = tested();
  const after = openFile({ name: "t.csv", format: "csv" }, second.parts);
  await after.take(outputOf({ n: 2n, "a,b": "z" }, { n: 3n, other: 1n }));
  await after.close();
  assert.equal(await text("t.csv"), '"a,b",n\n"x ""y""",1\n"line\nbreak",\nz,2\n');
  assert.equal(second.counted("given_up_rows"), 1);
  const third = tested();
  await openFile({ name: "u.csv", format: "csv", fields: ["n"] }, third.parts).take(outputOf({ n: 3n, other: 1n }));
  assert.equal(await text("u.csv"), "n\n3\n");
});

test("a file is rolled at its size, and the oldest go", async () => {
  const { disk, text, tested } = setup();
  const sink = openFile({ name: "r", rollBytes: 4096, keep: 3 }, tested().parts);
  for (let n = 0; n < 30; n++) await sink.take(outputOf({ n, text: "x".repeat(980) }));
  assert.deepEqual((await disk.files.list("/data/rules/files")).sort(), ["r", "r.1", "r.2"]);
  const kept = (await text("r.2")) + (await text("r.1")) + (await text("r"));
  const numbers = kept
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { n: number }).n);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => 30 - numbers.length + i),
  );
  assert.ok(numbers.length >= 9);
});

test("a file is rolled at its age, also over a restart", async () => {
  const disk = simDisk({ random: new SimRandom(4) });
  const clock = new SimClock();
  const settings = { name: "day", rollEvery: "1h", keep: 3 };
  const start = () => openFile(settings, testParts({ clock, files: disk.files }).parts);
  const names = async () => (await disk.files.list("/data/rules/files")).sort();
  let sink = start();
  await sink.take(outputOf({ n: 1n }));
  await clock.advanceAsync(40 * 60_000);
  await sink.take(outputOf({ n: 2n }));
  assert.deepEqual(await names(), ["day"]);
  await sink.close();
  disk.crash();
  sink = start();
  await clock.advanceAsync(20 * 60_000);
  await sink.take(outputOf({ n: 3n }));
  assert.deepEqual(await names(), ["day", "day.1"]);
  const text = async (name: string) => new TextDecoder().decode(await disk.files.readAll(`/data/rules/files/${name}`));
  assert.deepEqual([await text("day.1"), await text("day")], ['{"n":1}\n{"n":2}\n', '{"n":3}\n']);
  await clock.advanceAsync(59 * 60_000);
  await sink.take(outputOf({ n: 4n }));
  assert.deepEqual(await names(), ["day", "day.1"]);
});

// A template makes a name of whatever a result says.
test("names and bytes are bounded: the name written to longest ago goes, also after a restart", async () => {
  const disk = simDisk({ random: new SimRandom(4) });
  const clock = new SimClock();
  const gone: [string, number][] = [];
  const open = (bounds: { names: number; bytes: number }) =>
    FileShelf.open({
      ...{ files: disk.files, clock, folder: "/files", places: "/places", keep: 2, rollMs: null, ...bounds },
      onGone: (name, bytes) => gone.push([name, bytes]),
    });
  const write = async (shelf: FileShelf, name: string, bytes: number) => {
    await clock.advanceAsync(1000);
    await shelf.makeRoom(name, bytes);
    const file = await disk.files.openAppend(`/files/${name}`);
    const isNew = file.length === 0;
    await file.append(new Uint8Array(bytes));
    await file.sync();
    await file.close();
    await disk.files.syncFolder("/files");
    await shelf.wrote(name, bytes, isNew);
  };
  let shelf = await open({ names: 3, bytes: 1000 });
  for (const name of ["a", "b", "c", "a"]) await write(shelf, name, 100);
  await write(shelf, "d", 100);
  assert.deepEqual(gone, [["b", 100]]);
  await shelf.roll("a");
  await write(shelf, "a", 100);
  await write(shelf, "c", 100);
  await shelf.close();
  shelf = await open({ names: 3, bytes: 1000 });
  // a has 300 in two files, and only c was written to after it.
  await write(shelf, "e", 100);
  assert.deepEqual(gone.splice(1), [["d", 100]]);
  await write(shelf, "e", 400);
  assert.deepEqual(gone.splice(1), []);
  await write(shelf, "e", 100);
  assert.deepEqual(gone.splice(1), [["a", 300]]);
  await write(shelf, "e", 500);
  assert.deepEqual(gone.splice(1), [["c", 200]]);
  assert.deepEqual(await disk.files.list("/files"), ["e"]);
});
