// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Micros } from "@penstock/model";
import { Instant } from "@penstock/rules";
import fc from "fast-check";
import { outputOf, testParts } from "../delivery/delivery-fixture.ts";
import { openInflux } from "./influx-sink.ts";
import { type ReadPoint, readLines } from "./line-parser-fixture.ts";
import { lineOf } from "./line-protocol.ts";

const time = 1_800_000_000_123_456 as Micros;

test("lineOf() writes types, escapes and order as the specification says", () => {
  const fields = { a: 1n, b: 2 ** 64, c: 2n ** 64n - 1n, d: 'say "\\"', e: true, f: null, g: Number.NaN, "h i": 0.5 };
  assert.equal(
    lineOf({
      measurement: "a, b=c",
      tags: [
        ["z z", "1,2"],
        ["k=", "v v"],
        ["none", ""],
      ],
      fields,
      time,
    }),
    'a\\,\\ b=c,k\\==v\\ v,z\\ z=1\\,2 a=1i,b=18446744073709552000,c=18446744073709551615u,d="say \\"\\\\\\"",e=true,h\\ i=0.5 1800000000123456',
  );
  for (const bad of [{}, { f: null }, { a: 2n ** 64n }])
    assert.throws(() => lineOf({ measurement: "m", tags: [], fields: bad, time }));
  for (const bad of ["", "a\nb", "a\\", "#a"])
    assert.throws(() => lineOf({ measurement: bad, tags: [], fields: { a: 1 }, time }), bad);
});

test("whatever lineOf() writes, a reader of the protocol reads back", () => {
  const name = fc.string({
    unit: fc.constantFrom("a", " ", ",", "=", '"', "\\", "é", "#"),
    minLength: 1,
    maxLength: 6,
  });
  const plain = name.filter((one) => !one.endsWith("\\"));
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => (Object.is(one, -0) ? 0 : one)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", ",", " ", "=") }),
  );
  const dictionary = <T>(values: fc.Arbitrary<T>, least: number) =>
    fc.uniqueArray(fc.tuple(plain, values), { selector: ([key]) => key, minLength: least, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          plain.filter((one) => !one.startsWith("#")),
          dictionary(plain, 0),
          dictionary(value, 1),
        ),
        { maxLength: 3 },
      ),
      (points) => {
        const text = points
          .map(
            ([measurement, tags, fields]) =>
              `${lineOf({ measurement, tags, fields: Object.fromEntries(fields), time })}\n`,
          )
          .join("");
        const read = readLines(text);
        assert.deepEqual(
          read.map((one) => ({ ...one, tags: { ...one.tags }, fields: { ...one.fields } })),
          points.map(([measurement, tags, fields]) => ({
            ...{ measurement, tags: Object.fromEntries(tags), fields: Object.fromEntries(fields), time: BigInt(time) },
          })),
        );
      },
    ),
  );
});

test("a result is one write; a point that is refused takes no other with it", async () => {
  const heard: { url: string; token: string | undefined; points: ReadPoint[] }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const points = readLines(body);
      heard.push({ url: request.url!, token: request.headers.authorization, points });
      const isBad = points.some(({ fields }) => typeof fields.v === "string");
      response.writeHead(isBad ? 422 : 204).end(isBad ? '{"message":"field type conflict"}' : "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { parts, counted, failures } = testParts();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sink = openInflux(
    {
      url,
      org: "plant & co",
      bucket: "b",
      token: "t",
      measurement: "${kind}",
      tags: ["device"],
      time: "at",
      fields: ["v"],
    },
    parts,
  );
  const row = { kind: "temp", device: "d 1", at: new Instant(time), other: 1n };
  try {
    await sink.take(
      outputOf({ ...row, v: 1n }, { ...row, v: "x" }, { ...row, at: "noon", v: 2n }, { ...row, at: 5n, v: 3.5 }),
    );
    const [first] = heard;
    assert.equal(first!.url, "/api/v2/write?org=plant+%26+co&bucket=b&precision=us");
    assert.equal(first!.token, "Token t");
    const last = heard.at(-1)!.points[0]!;
    assert.deepEqual(
      [last.measurement, { ...last.tags }, { ...last.fields }, last.time],
      ["temp", { device: "d 1" }, { v: 3.5 }, 5_000n],
    );
    assert.deepEqual([counted("delivered_rows"), counted("given_up_rows")], [2, 2]);
    assert.ok(failures.some((one) => one.includes("field type conflict")));
  } finally {
    await sink.close();
    server.closeAllConnections();
    server.close();
  }
});
