import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseExact } from "../exact-json.ts";
import { deviceSpecSchema, propertySchema } from "../resources/device.ts";
import { type cellKinds, cellToValue, valueToCell } from "./cell-value.ts";
import { deviceShape, propertyShape, type Shape } from "./columns.ts";
import { devicesToSheets, type TableDevice } from "./devices-to-sheets.ts";
import type { Sheet } from "./sheet.ts";
import { type SheetsToDevices, sheetsToDevices } from "./sheets-to-devices.ts";

const tank: TableDevice = {
  name: "tank",
  displayName: "=1+1",
  labels: { line: "filling", "plant/hall": "007" },
  spec: {
    node: "gw-01",
    connection: { protocol: "modbus", settings: { host: "10.0.4.12" } },
    address: { unitId: 3 },
    presence: {},
    custom: { serial: 9223372036854775807n, list: [1, { a: null }] },
    properties: {
      level: {
        type: "uint64",
        maximum: "18446744073709551615",
        minimum: 5,
        visitor: {
          table: "holding",
          offset: 0,
          note: "1e3",
          other: "007",
          empty: "",
          date: "2026-11-23",
          deep: { a: [1] },
        },
        collect: { at: ["06:00", "18:00:30"] },
        report: { toCloud: false, onChange: {}, atLeast: "10m" },
      },
      mode: { type: "string", description: 'two\nlines, "quoted" ü 漢 😀', visitor: {}, mayOverlap: true },
      bare: { type: "bool" },
      clean: { type: "float64", calculated: true },
      told: { type: "bool", visitor: {}, collect: { subscribe: true } },
    },
  },
};
const press: TableDevice = {
  name: "press",
  labels: {},
  spec: { node: "gw-01", connection: "bus-a", model: "m", properties: {} },
};

// A field without a column would be lost on the way to a spreadsheet and back, and nobody would notice.
test("every field of a device and of a property has its column", () => {
  const covered = (shape: Shape, schema: object, at: string): void => {
    const { properties } = schema as { properties?: Record<string, object> };
    for (const [field, inner] of Object.entries(properties ?? {})) {
      if (typeof shape === "string" || "any" in shape) return;
      assert.ok(Object.hasOwn(shape.fields, field), `${at}${field} has no column`);
      covered(shape.fields[field]!, inner, `${at}${field}.`);
    }
  };
  covered(propertyShape, propertySchema, "");
  const { properties: _, ...rest } = deviceSpecSchema.properties;
  covered(deviceShape, { properties: rest }, "");
});

const currentOf = (...devices: readonly TableDevice[]) => new Map(devices.map((one) => [one.name, one]));
function back(options: Partial<SheetsToDevices>) {
  return sheetsToDevices({ current: new Map(), mode: "merge", ...options });
}
function column(sheet: Sheet, name: string, row: number) {
  return sheet.rows[row]![sheet.columns.indexOf(name)];
}
/** The sheet with one cell changed; row 0 is the first below the heads. */
function edited(sheet: Sheet, name: string, row: number, cell: Sheet["rows"][number][number]): Sheet {
  const at = sheet.columns.indexOf(name);
  assert.ok(at >= 0, name);
  return { ...sheet, rows: sheet.rows.map((cells, i) => (i === row ? cells.with(at, cell) : cells)) };
}

test("devicesToSheets() and back gives the same devices, and nothing is lost on the way to an empty tenant", () => {
  const sheets = devicesToSheets([tank, press]);
  for (const current of [new Map(), currentOf(tank, press)]) {
    const { changes, errors } = back({ ...sheets, current });
    assert.deepEqual(errors, []);
    assert.deepEqual(changes[0]!.after, tank);
    const { properties: _, ...spec } = press.spec;
    assert.deepEqual(changes[1]!.after, current.size === 0 ? { ...press, spec } : press);
  }
});

test("what looks like a formula, a number or a date is text; numbers that fit are numbers", () => {
  const { devices, properties } = devicesToSheets([tank]);
  assert.equal(column(devices, "displayName", 0), "=1+1");
  assert.equal(column(properties, "visitor.offset", 0), 0);
  assert.equal(column(properties, "visitor.note", 0), '"1e3"');
  assert.equal(column(properties, "visitor.other", 0), "007");
  assert.equal(column(properties, "visitor.empty", 0), '""');
  assert.equal(column(properties, "visitor.date", 0), "2026-11-23");
  assert.equal(column(properties, "maximum", 0), "18446744073709551615");
  assert.equal(column(properties, "minimum", 0), 5);
  assert.equal(column(properties, "visitor.empty", 1), null);
});

test("merge: an empty cell takes a field away, a column that is not there leaves it, rows that are not there stay", () => {
  const properties: Sheet = {
    name: "properties",
    columns: ["device", "property", "visitor.note", "visitor.offset", "unit"],
    rows: [
      ["tank", "level", null, 7, "L"],
      ["tank", "fresh", null, 9, null],
    ],
  };
  const [change] = back({ properties, current: currentOf(tank, press) }).changes;
  const { note: _, ...visitor } = tank.spec.properties!.level!.visitor!;
  assert.deepEqual(change!.after!.spec.properties!.level, {
    ...tank.spec.properties!.level,
    visitor: { ...visitor, offset: 7 },
    unit: "L",
  });
  assert.deepEqual(change!.after!.spec.properties!.fresh, { visitor: { offset: 9 } });
  assert.deepEqual(change!.after!.spec.properties!.mode, tank.spec.properties!.mode);
});

test("replace: properties that no row names go; devices go only when asked", () => {
  const sheets = devicesToSheets([tank]);
  const properties = { ...sheets.properties, rows: sheets.properties.rows.slice(0, 1) };
  const current = currentOf(tank, press);
  const { changes } = back({ devices: sheets.devices, properties, current, mode: "replace" });
  assert.deepEqual(
    changes.map((one) => one.name),
    ["tank"],
  );
  assert.deepEqual(Object.keys(changes[0]!.after!.spec.properties!), ["level"]);
  const all = back({ devices: sheets.devices, properties, current, mode: "replace", removeAbsent: true }).changes;
  assert.deepEqual(
    all.map((one) => [one.name, one.after === null]),
    [
      ["tank", false],
      ["press", true],
    ],
  );
});

test("errors say sheet, row and column; fields of the checks at the door do too", () => {
  const { devices, properties } = devicesToSheets([tank]);
  const told = (options: Partial<SheetsToDevices>) =>
    back({ current: currentOf(tank), ...options }).errors.map((e) => `${e.field}: ${e.value}: ${e.rule}`);
  assert.deepEqual(told({ properties: edited(properties, "mayOverlap", 1, "maybe") }), [
    'properties row 3, column mayOverlap: "maybe": must be true or false',
  ]);
  assert.deepEqual(told({ properties: edited(properties, "minimum", 0, "low") }), [
    'properties row 2, column minimum: "low": must be a number',
  ]);
  assert.deepEqual(told({ properties: edited(properties, "property", 1, "level") }), [
    'properties row 3, column property: "level": stands in row 2 already',
  ]);
  assert.deepEqual(told({ properties: edited(properties, "device", 2, "tonk") }), [
    'properties row 4, column device: "tonk": there is no such device, nor a row of it in devices',
  ]);
  assert.match(
    told({ devices: { ...devices, columns: devices.columns.map((one) => (one === "model" ? "modell" : one)) } }).join(),
    /^devices row 1, column modell: "modell": unknown column, known are name, /,
  );
  assert.deepEqual(told({ devices: { name: "devices", columns: ["node"], rows: [["a"]] } }), [
    "devices row 1, column name: (missing): this column must be there",
  ]);
  const [change] = back({ devices, properties, current: currentOf(tank) }).changes;
  assert.equal(change!.placeOf("spec.properties.level.visitor.offset"), "properties row 2, column visitor.offset");
  assert.equal(change!.placeOf("spec.properties.level.visitor.deep.a"), "properties row 2, column visitor.deep");
  assert.equal(change!.placeOf("spec.node"), "devices row 2, column node");
  assert.equal(change!.placeOf("metadata.labels.line"), "devices row 2, column labels.line");
});

test("no more than a hundred errors are told", () => {
  const rows = Array.from({ length: 300 }, (_, i) => ["tank", `p${i}`, "maybe"]);
  const properties: Sheet = { name: "properties", columns: ["device", "property", "mayOverlap"], rows };
  assert.equal(back({ properties, current: currentOf(tank) }).errors.length, 100);
});

test("a cell with a key that would reach an object's prototype is no object", () => {
  const cell = '{"a":{"__proto__":{"admin":true}}}';
  assert.equal(cellToValue("any", cell), cell);
  assert.throws(() => cellToValue("object", cell), /must be a JSON object/);
});

test("any value comes back from its cell, also when a file knows only text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", '"', "null", "1e3", "-0", "0012", "=A1", "_x0041_", "\r", "[]", " 1", "{"),
  );
  // A key that would reach an object's prototype makes a cell plain text, or no object: below.
  const json = fc
    .jsonValue({ noUnicodeString: false, maxDepth: 2 })
    .map((value) => JSON.stringify(value))
    .filter((value) => !value.includes('"__proto__"'))
    .map(parseExact);
  const any = fc.oneof(
    text,
    json,
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  );
  const same = (kind: (typeof cellKinds)[number], value: unknown) => {
    const cell = valueToCell(kind, value);
    assert.ok(cell !== null);
    assert.deepEqual(cellToValue(kind, cell), value);
    assert.deepEqual(cellToValue(kind, String(cell)), value);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot hold them
    assert.doesNotMatch(String(cell), /[\u0000-\u0009\u000b-\u001f\ufffe\uffff]|_x[0-9a-f]{4}_/i);
  };
  fc.assert(
    fc.property(text, (value) => same("text", value)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(
      any.filter((value) => !Object.is(value, -0)),
      (value) => same("any", value),
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String)),
      (value) => same("bound", value),
    ),
  );
});
