import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CallReport,
  type DeviceUid,
  limits,
  type MethodCall,
  type Micros,
  type PropertyHold,
} from "@penstock/model";
import fc from "fast-check";
import { type AnyMessage, decodeMessage, encodeMessage } from "./frames.ts";
import { checkCloudMessage } from "./link-cloud-messages.ts";
import { checkEdgeMessage } from "./link-edge-messages.ts";

const id = "0123456789abcdef0123456789abcdef";
const device = "d1" as DeviceUid;
const call: MethodCall = {
  ...{ id, device, method: "m", arguments: [{ name: "a", type: "int64", value: 5n }], ttlMs: 9 },
};
const report: CallReport = {
  ...{ id, device, state: "done", reason: null, message: null, type: "bool", value: true },
  ...{ steps: [{ property: "p", state: "written", reason: null, message: null }], time: 7 as Micros },
};
const hold: PropertyHold = {
  ...{ device, property: "p", holder: "h", type: "string", value: "x", since: 1 as Micros, until: null },
};

/** As a gateway or cloud of another version reads it: what is golden here may never change its meaning. */
const vectors: [string[], AnyMessage, typeof checkCloudMessage | typeof checkEdgeMessage][] = [
  [
    [
      "de0002 a174 a563616c6c73 a563616c6c73 91", // map of 2: t "calls", calls: array of 1
      "de0005 a26964 d920 3031323334353637383961626364656630313233343536373839616263646566", // map of 5: id, 32 characters
      "a6646576696365 a26431 a66d6574686f64 a16d", // device "d1", method "m"
      "a9617267756d656e7473 91 de0003 a46e616d65 a161", // arguments: array of 1, map of 3: name "a"
      "a474797065 a5696e743634 a576616c7565 d30000000000000005", // type "int64", value 5 as int64
      "a574746c4d73 09", // ttlMs 9
    ],
    { t: "calls", calls: [call] },
    checkCloudMessage,
  ],
  [
    [
      "de0002 a174 ab63616c6c732d74616b656e a3696473 91", // map of 2: t "calls-taken", ids: array of 1
      "d920 3031323334353637383961626364656630313233343536373839616263646566",
    ],
    { t: "calls-taken", ids: [id] },
    checkEdgeMessage,
  ],
];

test("calls golden vectors", () => {
  for (const [parts, message, check] of vectors) {
    const hex = parts.join("").replaceAll(" ", "");
    assert.equal(Buffer.from(encodeMessage(message as Parameters<typeof encodeMessage>[0])).toString("hex"), hex);
    assert.deepEqual(check(decodeMessage(Buffer.from(hex, "hex")))?.message, message);
  }
});

test("calls, their ends and holds come over the line as they were, and unknown fields in them are passed over", () => {
  const messages: [AnyMessage, typeof checkCloudMessage | typeof checkEdgeMessage][] = [
    [{ t: "calls", calls: [call] }, checkCloudMessage],
    [{ t: "call-reports", reports: [report] }, checkEdgeMessage],
    [{ t: "call-reports-taken", ids: [id] }, checkCloudMessage],
    [{ t: "holds", holds: [hold] }, checkEdgeMessage],
  ];
  for (const [message, check] of messages) {
    const [kind, content] = Object.entries(message)[1]!;
    const later = (content as object[]).map((one) => (typeof one === "string" ? one : { ...one, later: 1 }));
    const came = decodeMessage(encodeMessage({ ...message, [kind]: later } as Parameters<typeof encodeMessage>[0]));
    assert.deepEqual(check(came)?.message, message);
  }
});

test("calls and holds that break a rule are refused by field", () => {
  const many = Array.from({ length: limits.holdsPerNode + 1 }, () => hold);
  const broken: [AnyMessage, RegExp][] = [
    [{ t: "holds", holds: many }, /holds: a list of at most 1000/],
    [{ t: "holds", holds: [{ ...hold, holder: "x".repeat(65) }] }, /holds\[0\]\.holder: text of at most 64/],
    [{ t: "holds", holds: [{ ...hold, value: 5 }] }, /holds\[0\]\.value: a value of type string/],
    [{ t: "call-reports", reports: [{ ...report, state: "sent" }] }, /state: one of done, failed, expired, unknown/],
    [{ t: "call-reports", reports: [{ ...report, id: "x" }] }, /id: 32 hex digits/],
    [{ t: "calls-taken", ids: [5] }, /ids\[0\]: 32 hex digits/],
  ];
  for (const [message, words] of broken) assert.throws(() => checkEdgeMessage(message), words);
  assert.throws(() => checkCloudMessage({ t: "calls", calls: [{ ...call, ttlMs: -1 }] }), /ttlMs: milliseconds/);
});

test("whatever stands where a call, its end or a hold should, it is refused and nothing else happens", () => {
  const kinds = [
    ["calls", "calls", checkCloudMessage],
    ["call-reports", "reports", checkEdgeMessage],
    ["holds", "holds", checkEdgeMessage],
    ["calls-taken", "ids", checkEdgeMessage],
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.anything(), ([t, field, check], content) => {
      try {
        check({ t, [field]: [content] });
      } catch (error) {
        assert.equal((error as { code?: string }).code, "link/bad-frame", String(error));
      }
    }),
  );
});
