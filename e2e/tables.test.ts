import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { needs, systemPython } from "@penstock/testkit";
import { root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
after(() => bench.close());

/** Text that spreadsheets like to change, all of which must come back as it was. */
const texts = [
  "007",
  "1e3",
  "2026-11-23",
  "=1+1",
  "-5",
  "'x",
  " lead",
  "two\nlines",
  "ü 漢 😀",
  "TRUE",
  "1/2",
  "_x0041_",
  '"q"',
  "9223372036854775807",
];
const devices = 10;
const each = 1000;

/** 10,000 properties on a device without hardware each thousand, with whatever a property may say. */
function documents(): string {
  const properties = (device: number) =>
    Object.fromEntries(
      Array.from({ length: each }, (_, i) => [
        `p${i}`,
        {
          type: i % 3 === 0 ? "uint64" : "float64",
          ...(i % 3 === 0 && { maximum: "18446744073709551615", minimum: 5 }),
          ...(i % 2 === 0 && { unit: "Cel" }),
          displayName: `${texts[i % texts.length]}`,
          description: `${device} ${texts[(i + 1) % texts.length]}`,
          access: i % 5 === 0 ? "readWrite" : "read",
          visitor: { name: `place-${i}`, signal: i % 5 === 0 ? "held" : "counter", start: i / 10, step: 1 },
          ...(i % 4 === 0 && { collect: { every: "5s" }, report: { every: "1m", toCloud: true } }),
          ...(i % 7 === 0 && {
            custom: { serial: 7, nested: { list: [1, "1", null, true] }, text: texts[i % texts.length] },
          }),
        },
      ]),
    );
  const made = Array.from({ length: devices }, (_, i) => ({
    apiVersion: "penstock.dev/v1",
    kind: "Device",
    metadata: { name: `rack-${i}`, labels: { hall: "007" }, displayName: texts[i % texts.length] },
    spec: {
      node: "gw-01",
      connection: { protocol: "virtual" },
      properties: properties(i),
      custom: { serial: "9007199254740993", big: 1 },
    },
  }));
  return [{ apiVersion: "penstock.dev/v1", kind: "Node", metadata: { name: "gw-01" }, spec: {} }, ...made]
    .map((one) => JSON.stringify(one))
    .join("\n---\n");
}

test(
  "10,000 properties go out to XLSX, are edited in LibreOffice, and come back exact but for the edits",
  needs("libreoffice-calc", "python3-uno"),
  async () => {
    const cloud = await bench.startCloud();
    const file = (name: string) => join(bench.folder, name);
    writeFileSync(file("racks.yaml"), documents());
    const applied = await bench.run(["apply", "-f", file("racks.yaml")]);
    assert.equal(applied.code, 0, applied.stderr);
    const specs = async () => {
      const { items } = await cloud.client.devices.list({ params: { tenant: "default" }, query: {} });
      return items.map(({ metadata, spec }) => ({
        name: metadata.name,
        displayName: metadata.displayName,
        labels: metadata.labels,
        spec,
      }));
    };
    const before = await specs();

    const exported = await bench.run(["export", "devices", "--to", file("out.xlsx")]);
    assert.equal(exported.code, 0, exported.stderr);
    const edit = (edits: readonly unknown[], to: string) => {
      const script = join(root, "packages/testkit/src/foreign/libreoffice_edit.py");
      const args = [script, file("out.xlsx"), file(to), file("profile"), JSON.stringify(edits)];
      const done = spawnSync(systemPython, args, { encoding: "utf8", timeout: 120_000 });
      assert.equal(done.status, 0, done.stderr);
    };

    edit([], "saved.xlsx");
    const same = await bench.json<{ change: number | null; unchanged: number }>([
      "import",
      file("saved.xlsx"),
      "--replace",
    ]);
    assert.deepEqual([same.change, same.unchanged], [null, devices]);

    // Row 2 is rack-0's first property; properties of a device stand in the order of its document.
    const edits = [
      ["properties", 2, "visitor.start", 12.5],
      ["properties", 3, "displayName", "007"],
      ["properties", 4, "description", "=2+2"],
      ["properties", 2 + each, "visitor.signal", "constant"],
      ["properties", 3 + each, "unit", ""],
      ["devices", 3, "labels.hall", "0042"],
    ];
    edit(edits, "edited.xlsx");
    const dry = await bench.run(["import", file("edited.xlsx"), "--dry-run"]);
    assert.match(dry.stdout, /rack-0 +update +spec\.properties\.p0\.visitor\.start +0 +12\.5/);
    assert.match(dry.stdout, /Would be: 0 created, 2 changed, 0 deleted, 8 unchanged; nothing is stored/);
    assert.deepEqual(await specs(), before);
    const done = await bench.json<{ change: number; updated: number }>(["import", file("edited.xlsx")]);
    assert.equal(done.updated, 2);

    const wanted = structuredClone(before) as {
      labels: Record<string, string>;
      spec: { properties: Record<string, Record<string, unknown>> };
    }[];
    const property = (device: number, row: number) => {
      const all = Object.values(wanted[device]!.spec.properties);
      return all[row]!;
    };
    property(0, 0).visitor = { ...(property(0, 0).visitor as object), start: 12.5 };
    property(0, 1).displayName = "007";
    property(0, 2).description = "=2+2";
    property(1, 0).visitor = { ...(property(1, 0).visitor as object), signal: "constant" };
    delete property(1, 1).unit;
    wanted[1]!.labels.hall = "0042";
    assert.deepEqual(await specs(), wanted);

    const undone = await bench.run(["undo", String(done.change)]);
    assert.equal(undone.code, 0, undone.stderr);
    assert.deepEqual(await specs(), before);

    edit(
      [
        ["properties", 17, "visitor.period", -1],
        ["properties", 18, "visitor.signal", "sinus"],
      ],
      "wrong.xlsx",
    );
    const wrong = await bench.run(["import", file("wrong.xlsx")]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /properties row 17, column visitor\.period: -1: /);
    assert.match(wrong.stderr, /properties row 18, column visitor\.signal: "sinus": /);
    assert.deepEqual(await specs(), before);
  },
);

test("two CSV files carry the same, and an empty terminal is told what to give", async () => {
  const cloud = await bench.startCloud({ name: "csv" });
  const file = (name: string) => join(bench.folder, name);
  writeFileSync(file("one.yaml"), documents().split("\n---\n").slice(0, 2).join("\n---\n"));
  assert.equal((await bench.run(["apply", "-f", file("one.yaml")])).code, 0);
  const exported = await bench.run(["export", "devices", "-o", "csv", "--to", file("racks.csv")]);
  assert.match(exported.stderr, /racks\.devices\.csv\n.*racks\.properties\.csv/);
  const { metadata } = await cloud.client.devices.get({ params: { tenant: "default", name: "rack-0" } });
  const files = [file("racks.devices.csv"), file("racks.properties.csv")];
  const again = await bench.run(["import", ...files, "--replace", "--remove-absent"]);
  assert.match(again.stdout, /^0 created, 0 changed, 0 deleted, 1 unchanged$/m);
  const same = await cloud.client.devices.get({ params: { tenant: "default", name: "rack-0" } });
  assert.equal(same.metadata.resourceVersion, metadata.resourceVersion);
  assert.match((await bench.run(["export", "devices", "-o", "csv"])).stderr, /--what: .*must be devices or properties/);
});
