import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, type DeviceUid, type Micros } from "@penstock/model";
import { type AnyMessage, decodeMessage, encodeMessage } from "./frames.ts";
import { checkCloudMessage } from "./link-cloud-messages.ts";
import type { CloudMessage } from "./messages.ts";

const value = { device: "d1" as DeviceUid, property: "p", type: "int64", value: 5n, version: 7, ttlMs: 9 } as const;
const credit = { live: 1, backlog: 2 };
const welcome = { version: 1, features: [], time: 3 as Micros, held: [], newEpoch: false, credit } as const;

/** What is golden here may never change its meaning: clouds and gateways of another version read it. */
const vectors: [string[], CloudMessage][] = [
  [
    [
      "de0003 a174 a764657369726564 a676616c756573 91", // map of 3: t "desired", values: array of 1
      "de0006 a6646576696365 a26431 a870726f7065727479 a170", // map of 6: device "d1", property "p"
      "a474797065 a5696e743634 a576616c7565 d30000000000000005", // type "int64", value 5 as int64
      "a776657273696f6e 07 a574746c4d73 09", // version 7, ttlMs 9
      "a57374616d70 ce000f4240", // stamp 1 000 000: one second into the session
    ],
    { t: "desired", values: [value], stamp: 1_000_000 },
  ],
  [
    ["de0003 a174 a4706f6e67 a16e 02 a57374616d70 03"], // map of 3: t "pong", n 2, stamp 3
    { t: "pong", n: 2, stamp: 3 },
  ],
];

test("stamps golden vectors", () => {
  for (const [parts, message] of vectors) {
    const hex = parts.join("").replaceAll(" ", "");
    assert.equal(Buffer.from(encodeMessage(message)).toString("hex"), hex);
    const checked = checkCloudMessage(decodeMessage(Buffer.from(hex, "hex")));
    assert.deepEqual(checked, { message, unknownFields: 0 });
  }
});

test("checkCloudMessage() takes messages with stamps and without, and refuses one that is no count", () => {
  const stamped: CloudMessage[] = [
    { t: "welcome", ...welcome, stamp: 2, helloStamp: 1 },
    { t: "desired", values: [], stamp: 2 },
    { t: "calls", calls: [], stamp: 2 },
    { t: "ping", n: 1, stamp: 2 },
    { t: "pong", n: 1, stamp: 2 },
  ];
  for (const message of stamped) {
    assert.deepEqual(checkCloudMessage(message as unknown as AnyMessage), { message, unknownFields: 0 });
    const { stamp, helloStamp, ...plain } = message as CloudMessage & { stamp: number; helloStamp?: number };
    assert.deepEqual(checkCloudMessage(plain as unknown as AnyMessage), { message: plain, unknownFields: 0 });
    for (const wrong of [-1, 0.5, "2", null, 2 ** 60]) {
      const refused = () => checkCloudMessage({ ...message, stamp: wrong } as unknown as AnyMessage);
      assert.throws(refused, (error) => codeOf(error) === "link/bad-frame");
    }
  }
  // A stamp on what carries none is a field of a later version.
  const later = { t: "certificate", certificatePem: "", trustBundlePem: "", stamp: 2 };
  assert.equal(checkCloudMessage(later)?.unknownFields, 1);
});
