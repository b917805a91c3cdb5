import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, invalid } from "@penstock/model";
import { Command } from "commander";
import { actionOf, doing } from "./doing.ts";
import { errorText } from "./report-error.ts";

const field = { field: "conveyor-01.speed", value: '"900"', rule: "must be at most 100" };
const set = new Command("set").argument("<words...>").action(() => {});
set.parse(["conveyor-01", "speed", "900"], { from: "user" });

test("errorText() says over the fields what could not be done", () => {
  const error = invalid([field]);
  const lines = ['  conveyor-01.speed: "900": must be at most 100', "Code: input/invalid"];
  const head = "Error: Cannot set conveyor-01 speed 900: a field breaks its rule";
  assert.equal(errorText(error, "text", actionOf(error, set)), [head, ...lines].join("\n"));
  assert.match(errorText(invalid([field, field]), "text", null), /^Error: 2 fields break their rules\n/);
});

test("errorText() leaves a message that says it all as it is", () => {
  const error = new AppError("twin/unknown-property", 'Device "conveyor-01" has no property "sped"');
  assert.match(errorText(error, "text", actionOf(error, set)), /^Error: Device "conveyor-01" has no/);
});

test("doing() names the innermost step", async () => {
  const error = invalid([field]);
  const step = doing("apply two files", () => doing('apply Device "tank"', () => Promise.reject(error)));
  await assert.rejects(step, error);
  assert.equal(actionOf(error, set), 'apply Device "tank"');
});
