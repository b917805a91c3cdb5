import assert from "node:assert/strict";
import { test } from "node:test";
import { isSecretName } from "../shown.ts";
import { mapSecrets, valueAtPath } from "./spec-secrets.ts";

const byName = (_: string, name: string) => isSecretName(name);
/** every secret with its place */
function secretsOf(spec: unknown, isSecret = byName): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  mapSecrets(spec, isSecret, (value, path) => {
    assert.equal(valueAtPath(spec, path), value);
    found[path.join("/")] = value;
    return value;
  });
  return found;
}

// A place that is passed over is a password in plain text on the disk.
test("mapSecrets() finds secrets in every set of settings, whole, in lists and at any depth", () => {
  const spec = {
    node: "gw",
    connection: { protocol: "x", settings: { user: "u", password: "a", hops: [{ name: "h", "api.token": "b" }] } },
    settings: { pool: { clientSecret: { id: 1, key: ["c"] } } },
    address: { secret: 12345n },
    custom: { apiKey: "d", note: "e" },
    properties: { level: { type: "bool", visitor: { passphrase: "f" }, custom: { deep: { token: "g" } } } },
    methods: { reset: { visitor: { password: 7 } } },
  };
  assert.deepEqual(secretsOf(spec), {
    "connection/settings/password": "a",
    "connection/settings/hops/0/api.token": "b",
    "settings/pool/clientSecret": { id: 1, key: ["c"] },
    "address/secret": 12345n,
    "custom/apiKey": "d",
    "properties/level/visitor/passphrase": "f",
    "properties/level/custom/deep/token": "g",
    "methods/reset/visitor/password": 7,
  });
});

// A property may bear any name; only its settings can hold secrets.
test("mapSecrets() leaves names of properties and methods, and what is no setting, as they are", () => {
  const spec = {
    description: "password: none",
    properties: { password: { type: "string", unit: "1" }, token: { type: "bool", visitor: { usePassword: true } } },
    methods: { secret: { sets: { token: 1 } } },
    connection: "password",
  };
  assert.deepEqual(secretsOf(spec), {});
  assert.equal(
    mapSecrets(spec, byName, () => "x"),
    spec,
  );
});

test("mapSecrets() tells the set of settings, puts in what it is given, and leaves out what is undefined", () => {
  const spec = { settings: { pin: 1, other: 2 }, address: { pin: 3 } };
  const isPin = (part: string, name: string) => part === "connection" && name === "pin";
  assert.deepEqual(secretsOf(spec, isPin), { "settings/pin": 1 });
  assert.deepEqual(
    mapSecrets(spec, isPin, () => undefined),
    { settings: { other: 2 }, address: { pin: 3 } },
  );
  assert.deepEqual(spec.settings, { pin: 1, other: 2 });
  assert.equal(
    mapSecrets(spec, isPin, (value) => value),
    spec,
  );
});
