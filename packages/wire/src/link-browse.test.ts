import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionUid } from "@penstock/model";
import fc from "fast-check";
import { type AnyMessage, decodeMessage, encodeMessage } from "./frames.ts";
import { checkCloudMessage } from "./link-cloud-messages.ts";
import { checkEdgeMessage } from "./link-edge-messages.ts";
import type { Browse, Browsed } from "./messages.ts";

const question: Browse = { t: "browse", id: 7, connection: "c1" as ConnectionUid, path: ["a"] };
const answer: Browsed = {
  ...{ t: "browsed", id: 7, error: null },
  nodes: [{ name: "n", path: ["a", "n"], visitor: { nodeId: "i=1" }, type: "bool", hasChildren: false }],
};

test("browse golden vectors", () => {
  const hexes = [
    ["de0004 a174 a662726f777365", "a26964 07", "aa636f6e6e656374696f6e a26331", "a470617468 91 a161"],
    [
      ...["de0004 a174 a762726f77736564", "a26964 07", "a56572726f72 c0", "a56e6f646573 91 de0005"],
      ...["a46e616d65 a16e", "a470617468 92 a161 a16e", "a776697369746f72 de0001 a66e6f64654964 a3693d31"],
      ...["a474797065 a4626f6f6c", "ab6861734368696c6472656e c2"],
    ],
  ].map((parts) => parts.join("").replaceAll(" ", ""));
  assert.equal(Buffer.from(encodeMessage(question)).toString("hex"), hexes[0]);
  assert.equal(Buffer.from(encodeMessage(answer)).toString("hex"), hexes[1]);
  assert.deepEqual(checkCloudMessage(decodeMessage(Buffer.from(hexes[0]!, "hex")))?.message, question);
  assert.deepEqual(checkEdgeMessage(decodeMessage(Buffer.from(hexes[1]!, "hex")))?.message, answer);
});

test("whatever stands where a path or nodes should, it is refused by field and nothing else happens", () => {
  const broken = (check: () => unknown) => {
    try {
      check();
    } catch (error) {
      assert.equal((error as { code?: string }).code, "link/bad-frame", String(error));
    }
  };
  fc.assert(
    fc.property(fc.anything(), fc.boolean(), (content, isListed) => {
      const it = isListed ? [content] : content;
      broken(() => checkCloudMessage({ ...question, path: it } as unknown as AnyMessage));
      broken(() => checkEdgeMessage({ ...answer, nodes: it } as unknown as AnyMessage));
    }),
  );
  assert.throws(
    () => checkCloudMessage({ ...question, path: new Array(65).fill("x") } as unknown as AnyMessage),
    /path: at most 64 steps of text/,
  );
  assert.throws(
    () => checkEdgeMessage({ ...answer, nodes: [{ name: "x" }] } as unknown as AnyMessage),
    /without a path/,
  );
});
