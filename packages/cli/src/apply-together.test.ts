import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@penstock/model";
import { runsOf } from "./apply-together.ts";
import type { Document } from "./check-documents.ts";

const document = (kind: string, name: string, more: object = {}): Document => ({
  ...{ kind, metadata: { name } },
  ...more,
});
const of = (documents: readonly Document[], tenantOf: (document: Document) => string = () => "t") =>
  runsOf(documents, tenantOf).map((run) => run.map(({ metadata }) => metadata.name));

test("runsOf() keeps together what one change can store; gateways, users and other tenants go by themselves", () => {
  const documents = [
    document("User", "u"),
    document("Node", "n1"),
    document("Node", "n2"),
    document("Connection", "c"),
    document("DeviceModel", "m"),
    document("Device", "d"),
    document("Device", "other"),
  ];
  const tenantOf = ({ metadata }: Document) => (metadata.name === "other" ? "b" : "a");
  assert.deepEqual(of(documents, tenantOf), [["u"], ["n1"], ["n2"], ["c", "m", "d"], ["other"]]);
  assert.deepEqual(of([]), []);
});

test("runsOf() begins anew where a request would hold too many documents or bytes", () => {
  const many = Array.from({ length: limits.changesPerRequest + 1 }, (_, i) => document("Device", `d${i}`));
  assert.deepEqual(
    of(many).map(({ length }) => length),
    [limits.changesPerRequest, 1],
  );
  const large = ["a", "b", "c"].map((name) => document("Device", name, { spec: "ä".repeat(limits.requestBytes / 5) }));
  assert.deepEqual(of(large), [["a", "b"], ["c"]]);
});
