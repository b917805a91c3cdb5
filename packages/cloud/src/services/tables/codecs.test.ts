import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Cell, limits, type Sheet } from "@penstock/model";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { strToU8, unzipSync, zipSync } from "fflate";
import { csvText, parseCsv } from "./csv.ts";
import { parseXlsx } from "./xlsx-read.ts";
import { xlsxBytes } from "./xlsx-write.ts";

/** What `valueToCell` gives: no control characters but line feeds, no lone surrogates, no escapes of XLSX. */
const text = fc
  .string({ unit: "grapheme", minLength: 1 })
  .map((one) => one.replaceAll(/[^\u0020-\ud7ff\ue000-\ufffd\n\u{10000}-\u{10ffff}]|_x/gu, "?"));
const cell: fc.Arbitrary<Cell> = fc.oneof(
  text,
  fc.constantFrom("007", "1e3", "2026-11-23", "a,b;c", 'say "x"', " lead", "trail ", "l1\nl2", "&lt;", "TRUE", "'x"),
  fc.constantFrom("=1+1", "+x", "-x", "@x", "-1.5", ",+ "),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((x) => Number(x.toPrecision(15)) + 0)
    .filter(Number.isFinite),
  fc.constant(null),
);
const sheet: fc.Arbitrary<Sheet> = fc
  .array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 8 })
  .map((rows) => ({
    name: "properties",
    columns: ["device", "property", "visitor.x"],
    // The last row has something in it: empty rows at the end are none.
    rows: [...rows, ["end", null, null]],
  }));
const padded = (one: Sheet): Sheet => ({ ...one, rows: one.rows.map((row) => [...row, null, null, null].slice(0, 3)) });

test("an XLSX file gives back every cell as it was, with its type", () => {
  fc.assert(
    fc.property(sheet, (one) => assert.deepEqual(parseXlsx(xlsxBytes([one])).map(padded), [one])),
    { numRuns: 200 },
  );
});

test("a CSV file gives back every cell as text, and nothing in it is a formula", () => {
  const asText = (one: Cell) => {
    if (one === null) return null;
    const written = String(one);
    return typeof one === "string" && /^[=+\-@]/.test(one) && !/^-?\d+(\.\d+)?$/.test(one)
      ? JSON.stringify(one)
      : written;
  };
  fc.assert(
    fc.property(sheet, (one) => {
      const csv = csvText(one);
      assert.deepEqual(parseCsv("properties", csv), { ...one, rows: one.rows.map((row) => row.map(asText)) });
      const fields = (parse(csv, { bom: true }) as string[][]).flat();
      for (const field of fields) assert.match(field, /^([^=+\-@\t\r]|-?\d[\d.eE+-]*$|$)/);
    }),
    { numRuns: 200 },
  );
});

test("CSV as other programs write it: semicolons, no mark, line feeds, short rows, empty lines", () => {
  const read = parseCsv("devices", 'name;node;"displayName"\na;gw-01;"x;y"\n\nb\n');
  assert.deepEqual(read.columns, ["name", "node", "displayName"]);
  assert.deepEqual(read.rows, [["a", "gw-01", "x;y"], [null], ["b"]]);
  assert.throws(
    () => parseCsv("devices", 'name\n"open'),
    (error) => {
      assert.ok(error instanceof AppError && error.code === "input/invalid");
      assert.match(error.fields[0]!.field, /^devices row \d+$/);
      return true;
    },
  );
});

/** An XLSX file as others write it: shared strings, prefixes, runs, formulas, styles of dates. */
function foreign(
  cells: string,
  more: { readonly strings?: string; readonly styles?: string; readonly sheet?: string } = {},
): Uint8Array {
  return zipSync({
    "xl/workbook.xml": strToU8(
      `<x:workbook><x:sheets><x:sheet name="${more.sheet ?? "Devices"}" sheetId="1" r:id="r1"/></x:sheets></x:workbook>`,
    ),
    "xl/_rels/workbook.xml.rels": strToU8(
      '<Relationships><Relationship Id="r1" Target="/xl/worksheets/a.xml"/></Relationships>',
    ),
    "xl/sharedStrings.xml": strToU8(`<sst>${more.strings ?? ""}</sst>`),
    "xl/styles.xml": strToU8(more.styles ?? ""),
    "xl/worksheets/a.xml": strToU8(`<x:worksheet><x:sheetData>${cells}</x:sheetData></x:worksheet>`),
  });
}
const heads = '<x:row r="1"><x:c r="A1" t="str"><x:v>name</x:v></x:c><x:c r="B1" t="str"><x:v>node</x:v></x:c></x:row>';

test("XLSX as other programs write it", () => {
  const file = foreign(
    `${heads}<x:row r="4" spans="1:2"><x:c r="A4" t="s"><x:v>0</x:v></x:c><x:c r="B4" t="s"><x:f>A1</x:f><x:v>1</x:v></x:c></x:row>`,
    {
      strings:
        '<si><r><t>te</t></r><r><t xml:space="preserve">mp </t></r><rPh><t>no</t></rPh></si><si><t>a_x000D_&#x41;&amp;lt;</t></si>',
    },
  );
  assert.deepEqual(parseXlsx(file), [
    { name: "devices", columns: ["name", "node"], rows: [[], [], ["temp ", "a\rA&lt;"]] },
  ]);
});

test("a date, an error of the spreadsheet and a file of another kind are refused by place", () => {
  const told = (file: Uint8Array) => {
    try {
      parseXlsx(file);
    } catch (error) {
      assert.ok(error instanceof AppError);
      return `${error.code} ${error.fields.map((one) => `${one.field}: ${one.value}: ${one.rule}`).join()}`;
    }
    return "taken";
  };
  const styles =
    '<numFmts><numFmt numFmtId="170" formatCode="yyyy\\-mm"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs>';
  for (const s of ["1", "2"]) {
    const cells = `${heads}<x:row r="2"><x:c r="B2" s="${s}"><x:v>46349</x:v></x:c></x:row>`;
    assert.match(
      told(foreign(cells, { styles })),
      /^input\/invalid devices row 2, column node: 46349: is a date or time/,
    );
  }
  assert.match(
    told(foreign(`${heads}<x:row r="2"><x:c r="B2" t="e"><x:v>#REF!</x:v></x:c></x:row>`)),
    /column node: #REF!: is an error/,
  );
  assert.match(
    told(foreign(heads, { sheet: "Tabelle1" })),
    /must have a sheet called devices or properties, but has "Tabelle1"/,
  );
  assert.match(told(strToU8("name,node")), /input\/invalid file: .*no ZIP archive/);
  assert.match(told(foreign('<x:row r="1000000"/>')), /^input\/too-large/);
  assert.match(told(foreign('<x:row r="1"><x:c r="ZZZ1"><x:v>1</x:v></x:c></x:row>')), /^input\/too-large/);
});

test("a file that unpacks to more than it may is refused before it is unpacked, whatever it says of its size", () => {
  const zeros = new Uint8Array(limits.tableInflatedBytes + 1);
  const bomb = zipSync({ "xl/worksheets/sheet1.xml": zeros });
  assert.ok(bomb.length < limits.tableBytes);
  assert.throws(() => parseXlsx(bomb), { code: "input/too-large" });
  // The same, claiming 10 bytes in the central directory: APPNOTE.TXT 6.3.10, 4.3.12, at 24
  const view = new DataView(bomb.buffer, bomb.byteOffset);
  for (let at = bomb.length - 22; at > 0; at--) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    view.setUint32(at + 24, 10, true);
    break;
  }
  assert.equal(unzipSync(bomb)["xl/worksheets/sheet1.xml"]!.length, 10);
});

test("random bytes in an XLSX file are refused, never a crash", () => {
  const good = xlsxBytes([{ name: "devices", columns: ["name"], rows: [["a"]] }]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
      (changes) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          parseXlsx(bytes);
        } catch (error) {
          assert.ok(error instanceof AppError, String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});
