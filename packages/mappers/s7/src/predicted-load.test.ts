/** What is told of a line before anything runs is what the mapper then does, counted at the simulated PLC. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openContext, withDefaults } from "@penstock/mapper-sdk";
import { type DeviceUid, defaultLine, effectiveProperty, predictLoad, type ValueType } from "@penstock/model";
import { S7Memory, S7Server } from "@penstock/testkit";
import { s7 } from "./index.ts";
import type { S7Point } from "./point.ts";

const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers.toReversed()) await close();
});

for (const { name, visitors } of [
  { name: "a run of words", visitors: Array.from({ length: 300 }, (_, i) => ({ address: `DB10.DBW${2 * i}` })) },
  { name: "words far apart", visitors: Array.from({ length: 40 }, (_, i) => ({ db: 10, offset: 100 * i })) },
  { name: "two areas", visitors: [{ address: "MW0" }, { address: "DB10.DBW0" }, { address: "MW90" }] },
]) {
  test(`${name}: as many requests as foretold, for a PLC with small PDUs`, async () => {
    const memory = new S7Memory();
    memory.add("DB", 5000, 10);
    memory.add("M", 256);
    const server = await S7Server.start({ memory, pduSize: 240 });
    closers.push(() => server.close());
    const settings = { host: "127.0.0.1", port: server.port };
    const connection = await s7.open(withDefaults(s7.connection, settings), openContext());
    closers.push(() => connection.close());
    const type: ValueType = "int16";
    const points = visitors.map(
      (visitor, i): S7Point => ({
        ...{ device: "d", property: `p${i}`, type, address: { db: undefined } },
        ...{ visitor: withDefaults(s7.visitor, visitor), custom: {}, deviceCustom: {} },
      }),
    );
    await connection.read(points, { signal: new AbortController().signal });
    const predicted = predictLoad({
      ...{ manifest: s7.manifest, line: defaultLine, settings },
      devices: [
        {
          uid: "d" as DeviceUid,
          address: {},
          properties: visitors.map((visitor, i) =>
            effectiveProperty(`p${i}`, { type, visitor, collect: { every: "1s" } }),
          ),
        },
      ],
    });
    assert.equal(Math.round(predicted?.requestsPerSecond ?? 0), server.requests.length);
    assert.ok((predicted?.percent ?? 0) > server.requests.length);
  });
}
