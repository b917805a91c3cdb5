import assert from "node:assert/strict";
import { test } from "node:test";
import { withDefaults } from "@penstock/mapper-sdk";
import { defaultLine, readTerms } from "@penstock/model";
import fc from "fast-check";
import { areas } from "./areas.ts";
import { s7 } from "./index.ts";
import { readCost } from "./read-cost.ts";
import { packReads, readPlan } from "./read-plan.ts";
import { RefusedPlaces } from "./refused-places.ts";
import { encodeRead, encodeWrite } from "./s7-pdu.ts";
import { packWrites } from "./writer.ts";

const pduSizes = fc.constantFrom(64, 240, 480, 960);

test("whatever is asked for is read, and neither question nor answer is ever longer than the PDU", () => {
  const visitor = fc.record({
    area: fc.constantFrom("DB", "M", "T"),
    offset: fc.nat(1500),
    length: fc.integer({ min: 1, max: 1500 }),
  });
  fc.assert(
    fc.property(fc.array(visitor, { minLength: 1, maxLength: 60 }), pduSizes, (visitors, pduSize) => {
      const points = visitors.map(({ area, offset, length }) => {
        const isTimer = area === "T";
        const fields = isTimer ? { area, offset, type: "word" } : { area, offset, type: "bytes", length };
        return {
          ...{ device: "d", property: "p", type: isTimer ? ("uint16" as const) : ("bytes" as const) },
          ...{ address: { db: 1 }, visitor: withDefaults(s7.visitor, fields), custom: {}, deviceCustom: {} },
        };
      });
      const terms = readTerms(readCost(pduSize), { fieldOf: () => undefined, line: defaultLine })!;
      const plan = readPlan(points, { refused: new RefusedPlaces(), terms });
      assert.deepEqual(plan.impossible, []);
      const seen = new Set<number>();
      for (const job of packReads(plan.reads, pduSize)) {
        assert.ok(encodeRead(1, job).length <= pduSize);
        // header and parameters 14, each item 4 and its bytes, filled up to a whole word
        const answer = job.reduce((sum, { count, area }) => sum + 4 + 2 * Math.ceil((count * area.placeBytes) / 2), 14);
        assert.ok(answer <= pduSize, `${answer} of ${pduSize}`);
        assert.ok(job.length <= 20);
      }
      for (const { wanted, place, length } of plan.reads) {
        for (const { row, start, length: own } of wanted) {
          assert.ok(start >= place && start + own <= place + length);
          seen.add(row);
        }
      }
      assert.equal(seen.size, points.length);
    }),
    { numRuns: 300 },
  );
});

test("writes keep their order, and no job is longer than the PDU", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 36 }), { maxLength: 100 }), pduSizes, (lengths, pduSize) => {
      const pieces = lengths.map((length, place) => ({
        ...{ area: areas.DB, db: 1, place, bit: null, data: new Uint8Array(length) },
      }));
      const jobs = packWrites(pieces, pduSize);
      assert.deepEqual(jobs.flat(), pieces);
      for (const job of jobs) assert.ok(encodeWrite(1, job).length <= pduSize && job.length <= 20);
    }),
    { numRuns: 300 },
  );
});
