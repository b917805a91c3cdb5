import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAgainstManifest, type JsonSchema } from "./mapper-manifest.ts";
import { secretFieldsOf } from "./secret-fields.ts";
import { hiddenSecret } from "./shown.ts";

const object = (properties: JsonSchema): JsonSchema => ({ type: "object", additionalProperties: false, properties });
const hidden = { type: "string", format: "password", maxLength: 6, pattern: "^[a-z]+$" };
const manifest = {
  connection: object({ community: hidden, user: { type: "string" }, list: { type: "array", items: hidden } }),
  address: object({ login: object({ pin: { ...hidden, type: "integer" } }) }),
  visitor: object({}),
  method: null,
  custom: null,
};

test("secretFieldsOf() names every field of format password, whatever it is called", () => {
  assert.deepEqual(secretFieldsOf(manifest), ["connection.community", "connection.list", "address.pin"]);
});

// Names alone do not say it: errors end in logs and on screens.
test("checkAgainstManifest() tells field and rule of a bad secret, never the secret", () => {
  const fields = checkAgainstManifest(manifest, {
    connection: { community: "Hunter2", list: ["hunter2Two"], password: "hunter2Three" },
    address: { login: { pin: "hunter2Four" } },
  });
  assert.deepEqual([...new Set(fields.map(({ field }) => field))].sort(), [
    "address.login.pin",
    "connection.community",
    "connection.list.0",
    "connection.password",
  ]);
  assert.deepEqual([...new Set(fields.map(({ value }) => value))], ["(hidden)"]);
  assert.doesNotMatch(JSON.stringify(fields), /hunter2/i);
});

test("checkAgainstManifest() takes what stands for a stored secret in a secret's field, and nowhere else", () => {
  assert.deepEqual(checkAgainstManifest(manifest, { connection: { community: hiddenSecret } }), []);
  assert.deepEqual(checkAgainstManifest(manifest, { address: { login: { pin: hiddenSecret } } }), []);
  const strict = { ...manifest, connection: object({ host: { type: "string", pattern: "^[a-z]+$" } }) };
  assert.equal(checkAgainstManifest(strict, { connection: { host: hiddenSecret } }).length, 1);
});

test("checkAgainstManifest() hides a secret by its name alone as well, in a list too", () => {
  const plain = { type: "array", items: { type: "string", maxLength: 3 } };
  const named = { ...manifest, connection: object({ apiTokens: plain }) };
  const fields = checkAgainstManifest(named, { connection: { apiTokens: ["hunter2"] } });
  assert.deepEqual(
    fields.map(({ field, value }) => [field, value]),
    [["connection.apiTokens.0", "(hidden)"]],
  );
});

test("rules of several fields tell the field of a secret, never the secret", () => {
  const rules = [
    { when: { field: "connection.community", in: ["hunter2a"] }, require: ["connection.user"], because: "no reason" },
    { when: { field: "connection.user", in: ["u"] }, refuse: ["connection.community"], because: "no reason" },
  ];
  const loose = { ...manifest, rules, connection: object({ community: { format: "password" }, user: {} }) };
  for (const connection of [{ community: "hunter2a" }, { community: "hunter2b", user: "u" }]) {
    const [field] = checkAgainstManifest(loose, { connection });
    assert.match(JSON.stringify(field), /hidden/);
    assert.doesNotMatch(JSON.stringify(field), /hunter2/);
  }
});
