import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "@penstock/model";
import type { AnyMessage } from "./frames.ts";
import { checkCloudMessage } from "./link-cloud-messages.ts";

const set = {
  version: 1,
  tenant: { uid: "t", name: "acme" },
  node: { uid: "n", name: "gw-01", timeZone: "UTC", mqtt: null },
  connections: [],
  devices: [],
};
const check = (given: object) => checkCloudMessage({ t: "assigned", set: given } as unknown as AnyMessage);

test("checkCloudMessage() reads the set of a cloud that knows no rules as one without any", () => {
  assert.deepEqual(check(set), { message: { t: "assigned", set: { ...set, rules: [] } }, unknownFields: 0 });
  const rules = [{ name: "clean" }];
  assert.deepEqual(check({ ...set, rules })?.message, { t: "assigned", set: { ...set, rules } });
  assert.throws(
    () => check({ ...set, rules: null }),
    (error) => codeOf(error) === "link/bad-frame",
  );
});
