import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleSourceSpec } from "@penstock/model";
import { ruleStreams } from "./rule-streams.ts";
import { rule, site } from "./rules-fixture.ts";

// Both texts stand on the disk: in the journal of inputs and in checkpoints.
test("the texts that tell sources apart hold no password, token or header with one", () => {
  const sources: Record<string, RuleSourceSpec> = {
    far: { mqtt: { topic: "a/#", broker: { url: "mqtt://broker:1883", user: "u", password: "s3cret" } } },
    web: {
      http: { url: "http://web/v", every: "1s", token: "s3cret", headers: { "x-api-key": "s3cret", "x-a": "b" } },
    },
  };
  const streams = ruleStreams({ devices: new Map(), tenant: "acme", rule: { sources } });
  for (const name of ["far", "web"]) {
    for (const text of [streams.keyOf(name), streams.shapeOf(name)]) {
      assert.doesNotMatch(text, /s3cret/);
      assert.match(text, /broker:1883.*"u"|"x-a":"b"/);
    }
  }
});

test("a source with another password is opened anew, and the old one ends", async () => {
  const log: string[] = [];
  const { apply } = site({
    openSource(source) {
      const { password } = source.mqtt!.broker!;
      log.push(`open ${password}`);
      return {
        async close() {
          log.push(`close ${password}`);
        },
      };
    },
  });
  const from = (password: string) =>
    rule("r", "SELECT * FROM s", {
      sources: { s: { mqtt: { topic: "a", broker: { url: "mqtt://broker", user: "u", password } } } },
    });
  await apply([from("old")]);
  await apply([from("old")]);
  await apply([from("new")]);
  assert.deepEqual(log, ["open old", "open new", "close old"]);
});
