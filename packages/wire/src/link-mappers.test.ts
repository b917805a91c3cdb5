import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@penstock/model";
import fc from "fast-check";
import { type AnyMessage, decodeMessage, encodeMessage } from "./frames.ts";
import { checkCloudMessage } from "./link-cloud-messages.ts";
import { checkEdgeMessage } from "./link-edge-messages.ts";

const hash = "00112233445566778899aabbccddeeff".repeat(2);
const mapper = { name: "lathe", version: "1.2.0", hash };
type Check = typeof checkCloudMessage | typeof checkEdgeMessage;
const encode = (message: AnyMessage) => encodeMessage(message as Parameters<typeof encodeMessage>[0]);
const hashHex = `d940 ${Buffer.from(hash).toString("hex")}`; // 64 characters

/** As a gateway or cloud of another version reads it: what is golden here may never change its meaning. */
const vectors: [string[], AnyMessage, Check][] = [
  [
    [
      "de0002 a174 a76d617070657273 a76d617070657273 91", // map of 2: t "mappers", mappers: array of 1
      "de0003 a46e616d65 a56c61746865", // map of 3: name "lathe"
      "a776657273696f6e a5312e322e30", // version "1.2.0"
      `a468617368 ${hashHex}`, // hash
    ],
    { t: "mappers", mappers: [mapper] },
    checkEdgeMessage,
  ],
  [
    [
      "de0002 a174 ae6e6565642d6d616e696665737473", // map of 2: t "need-manifests"
      `a6686173686573 91 ${hashHex}`, // hashes: array of 1
    ],
    { t: "need-manifests", hashes: [hash] },
    checkCloudMessage,
  ],
  [
    [
      "de0003 a174 a86d616e6966657374", // map of 3: t "manifest"
      `a468617368 ${hashHex}`,
      "a474657874 c402 7b7d", // text: 2 bytes, {}
    ],
    { t: "manifest", hash, text: new TextEncoder().encode("{}") },
    checkEdgeMessage,
  ],
];

test("mappers golden vectors", () => {
  for (const [parts, message, check] of vectors) {
    const hex = parts.join("").replaceAll(" ", "");
    assert.equal(Buffer.from(encode(message)).toString("hex"), hex);
    const came = check(decodeMessage(Buffer.from(hex, "hex")))?.message as unknown as AnyMessage;
    // A Buffer is bytes as well; what counts is what they are.
    const text = came.text === undefined ? {} : { text: Uint8Array.from(came.text as Uint8Array) };
    assert.deepEqual({ ...came, ...text }, message);
  }
});

test("mappers of a later version carry fields that are passed over and counted", () => {
  const later = { t: "mappers", mappers: [{ ...mapper, signed: true }], next: 1 };
  const checked = checkEdgeMessage(decodeMessage(encode(later)));
  assert.deepEqual(checked, { message: { t: "mappers", mappers: [mapper] }, unknownFields: 1 });
});

test("mappers and manifests that break a rule are refused by field", () => {
  const many = Array.from({ length: limits.mappersPerNode + 1 }, () => mapper);
  const broken: [AnyMessage, RegExp][] = [
    [{ t: "mappers", mappers: many }, /mappers: a list of at most 100/],
    [{ t: "mappers", mappers: [{ ...mapper, name: "../x" }] }, /mappers\[0\]\.name: the name of a mapper/],
    [{ t: "mappers", mappers: [{ ...mapper, hash: hash.toUpperCase() }] }, /mappers\[0\]\.hash: 64 hex digits/],
    [{ t: "mappers", mappers: [{ ...mapper, version: "1".repeat(65) }] }, /version: text of at most 64/],
    [{ t: "manifest", hash, text: "{}" }, /manifest\.text: bytes/],
    [{ t: "manifest", hash, text: new Uint8Array(limits.manifestBytes + 1) }, /text: at most 1048576 bytes/],
  ];
  for (const [message, words] of broken) assert.throws(() => checkEdgeMessage(message), words);
  assert.throws(() => checkCloudMessage({ t: "need-manifests", hashes: ["x"] }), /hashes\[0\]: 64 hex digits/);
});

test("whatever stands where a mapper, a hash or a manifest should, it is refused and nothing else happens", () => {
  const kinds = [
    ["mappers", "mappers", checkEdgeMessage],
    ["manifest", "text", checkEdgeMessage],
    ["need-manifests", "hashes", checkCloudMessage],
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.anything(), fc.boolean(), ([t, field, check], content, isListed) => {
      try {
        check({ t, hash, [field]: isListed ? [content] : content });
      } catch (error) {
        assert.equal((error as { code?: string }).code, "link/bad-frame", String(error));
      }
    }),
  );
});
