import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, decodeSaved, encodeSaved, Instant } from "@penstock/rules";
import { answerRows, answersIn } from "./answer-rows.ts";

test("answers are what they were when they were journaled as rows, and no row is too large", () => {
  const answers: Answer[] = [
    {
      table: "t",
      key: "a",
      rows: [{ n: 9_007_199_254_740_993n, at: new Instant(5), raw: new Uint8Array([1]), none: null }],
    },
    { table: "t", key: "b", rows: [] },
    { table: "t", key: "c", failure: "away" },
    ...Array.from({ length: 500 }, (_, n): Answer => ({ table: "t", key: `k${n}`, rows: [{ n }] })),
    ...["x", "y"].map((key): Answer => ({ table: "t", key, rows: [{ text: key.repeat(200_000) }] })),
  ];
  const rows = answerRows(answers);
  assert.equal(rows.length, 4, "200 of them, as many, the rest with x, y");
  const again = rows.map((row) => decodeSaved(encodeSaved(row)) as typeof row);
  const same = again
    .flatMap((row) => answersIn("t", row))
    .map((of) => ("rows" in of ? { ...of, rows: of.rows.map((row) => ({ ...row })) } : of));
  assert.deepEqual(same, answers);
});
