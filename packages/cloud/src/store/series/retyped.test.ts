import assert from "node:assert/strict";
import { test } from "node:test";
import {
  batchFromSamples,
  type DeviceUid,
  type Layout,
  type Micros,
  type SeriesQuery,
  type Value,
  type ValueType,
} from "@penstock/model";
import { encodeBatchBody } from "@penstock/wire";
import { boot, epoch, node, openStore, temporaryFolder, tenant } from "./store-fixture.ts";

const device = "d1" as DeviceUid;

// A register that was counted in tenths, then scaled, then shown as text: three types under one name.
test("query() answers what was stored before a retype as the same number, or as null with the reason", async () => {
  const store = await openStore(temporaryFolder());
  const source = await store.openSource({ tenant, node, epoch, boot });
  let seq = 0;
  async function put(type: ValueType, values: readonly Value[]): Promise<void> {
    const layout: Layout = { id: 1, device, properties: [{ name: "level", type }] };
    const layoutId = await store.defineLayout(tenant, layout);
    const batches = values.map((value) => {
      const time = (++seq * 1000) as Micros;
      const { batch } = batchFromSamples({
        layout,
        samples: [{ property: "level", time, value, quality: "good", reason: null }],
      });
      return { layoutId, firstSeq: seq, count: 1, body: encodeBatchBody(batch) };
    });
    await store.commit({ source: source.id, generation: source.generation, batches, ranges: [[1, seq]] });
  }
  // Enough to be sealed into a block, whose summary is of the old type.
  await put(
    "float64",
    Array.from({ length: 700 }, (_, i) => (i % 2 === 0 ? i : i + 0.5)),
  );
  await store.sealed();
  assert.ok((await store.stats()).chunks > 0);
  await put("string", ["high"]);
  await put("int16", [7, -7]);

  const span = { from: 0 as Micros, to: 1_000_000 as Micros };
  const ask = (more: Partial<SeriesQuery>) =>
    store.query({ tenant, device, property: "level", ...span, points: 1000, aggregate: "raw", ...more });
  const asInt = await ask({ type: "int16" });
  assert.equal(asInt.type, "int16");
  assert.deepEqual(asInt.points.slice(0, 2), [
    { time: 1000, value: 0, quality: "good", reason: null },
    { time: 2000, value: null, quality: "bad", reason: "twin/wrong-type" },
  ]);
  assert.deepEqual(
    asInt.points.slice(-3).map(({ value, reason }) => [value, reason]),
    [
      [null, "twin/wrong-type"],
      [7, null],
      [-7, null],
    ],
  );
  // 0, 2, … 698 of the floats and the two integers; the text and the halves take no part.
  const [sum] = (await ask({ type: "int16", aggregate: "sum", points: 1 })).points;
  assert.equal(sum?.value, (349 * 350) / 1);
  const [most] = (await ask({ type: "int64", aggregate: "max", points: 1 })).points;
  assert.equal(most?.value, 698n);
  const asText = await ask({ type: "string" });
  assert.deepEqual(
    asText.points.filter(({ value }) => value !== null).map(({ value }) => value),
    ["high"],
  );
  assert.equal((await ask({})).type, "int16", "unless stated, the type of the newest layout");
  await store.close();
});
