import assert from "node:assert/strict";
import { test } from "node:test";
import { shown } from "./shown.ts";

test("shown() prints JSON, exact and short, and says when there is nothing", () => {
  assert.equal(shown({ a: 9007199254740993n, b: [1, "x"] }), '{"a":9007199254740993,"b":[1,"x"]}');
  assert.equal(shown(undefined), "(missing)");
  assert.equal(shown("x".repeat(100)).length, 80);
  assert.equal(shown("x".repeat(100), { most: 10 }), '"xxxxxx...');
});

// Messages end in logs and on screens that others see.
test("shown() hides secrets: by the field's name, and by the names inside of a value at any depth", () => {
  assert.equal(shown("hunter2", { field: "spec.settings.password" }), "(hidden)");
  assert.equal(shown("hunter2", { field: "spec.settings.apiTokens[0]" }), "(hidden)");
  assert.equal(shown("open", { field: "spec.password.note" }), '"open"');
  assert.equal(
    shown({ user: "u", all: [{ clientSecret: "hunter2", privateKey: { pem: "x" } }] }, { most: 200 }),
    '{"user":"u","all":[{"clientSecret":"(hidden)","privateKey":"(hidden)"}]}',
  );
  assert.equal(shown(undefined, { field: "password" }), "(missing)");
});

test("shown() hides the login of a URL, wherever it stands", () => {
  assert.equal(shown("mqtt://press:hunter2@10.0.0.4:1883/x"), '"mqtt://********@10.0.0.4:1883/x"');
  assert.equal(shown({ url: ["see postgres://u:hun@ter2@db/x"] }), '{"url":["see postgres://********@db/x"]}');
  assert.equal(shown("https://host/mail?to=a@b"), '"https://host/mail?to=a@b"');
});
