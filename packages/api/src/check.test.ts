import assert from "node:assert/strict";
import { test } from "node:test";
import { checkShape } from "./check.ts";
import { contract } from "./contract.ts";

const body = contract.devices.routes.put.body;
function broken(spec: unknown, rest: object = {}): string[] {
  return checkShape(body, { metadata: { name: "a" }, spec, ...rest }).map(
    (one) => `${one.field}: ${one.value}: ${one.rule}`,
  );
}

test("checkShape() names each field, its value and its rule, unknown fields too", () => {
  const good = { node: "gw", connection: "bus" };
  assert.deepEqual(broken(good), []);
  assert.deepEqual(broken({ ...good, adress: 1 }), ["spec.adress: 1: unknown field"]);
  assert.deepEqual(broken({ connection: "bus" }), ["spec.node: (missing): is required"]);
  assert.deepEqual(broken({ ...good, properties: { "a b": { type: "bool" } } }), [
    'spec.properties.a b: {"type":"bool"}: name must match ^[A-Za-z_][A-Za-z0-9_-]{0,62}$',
  ]);
  assert.deepEqual(broken({ ...good, properties: { a: { type: "bool", collect: { evry: "1s" } } } }).sort(), [
    'spec.properties.a.collect.evry: "1s": unknown field',
  ]);
});

test("checkShape() speaks of the branch of a union that the value is meant to be", () => {
  assert.deepEqual(broken({ node: "gw", connection: { protocl: "modbus" } }).sort(), [
    'spec.connection.protocl: "modbus": unknown field',
    "spec.connection.protocol: (missing): is required",
  ]);
  assert.deepEqual(broken({ node: "gw", connection: 5 }), ["spec.connection: 5: must be of type string or an object"]);
  assert.match(broken({ node: "gw", connection: "Bus A" })[0]!, /^spec\.connection: "Bus A": must match/);
});

test("checkShape() never shows a secret", () => {
  const fields = checkShape(contract.users.routes.put.body, {
    metadata: { name: "a" },
    spec: { role: "administrator", password: "hunter2" },
  });
  assert.deepEqual(
    fields.map((one) => [one.field, one.value]),
    [["spec.password", "(hidden)"]],
  );
  const nested = checkShape(contract.session.routes.login.body, {
    user: 5,
    password: "hunter2",
    more: { password: "x9" },
  });
  assert.doesNotMatch(JSON.stringify(nested), /hunter2|x9/);
});
