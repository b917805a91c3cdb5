import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuleSpec } from "@penstock/model";
import { checkRuleSpec } from "./check-rule-spec.ts";

const login = "press:hunter2@10.0.0.4";
const withLogin = (more: Partial<RuleSpec>): RuleSpec => ({
  ...{ nodes: ["gw-01"], sql: "SELECT * FROM s", sources: { s: { memory: {} } }, actions: [{ log: {} }] },
  ...more,
});
const said = (spec: RuleSpec) =>
  checkRuleSpec(spec).map(({ field, value, rule }) => {
    assert.match(rule, /must have no user and password/);
    return `${field} ${value}`;
  });

// A URL is shown, logged and stored as it is: nobody may believe that a password in it is kept.
test("a login in the URL of a source, an action or a webhook is refused by field, and its password is not repeated", () => {
  const sources: RuleSpec["sources"] = {
    a: { mqtt: { topic: "x", broker: { url: `mqtt://${login}` } } },
    b: { http: { url: `http://${login}/v`, every: "1s" } },
  };
  assert.deepEqual(said(withLogin({ sources })), [
    'spec.sources.a.mqtt.broker.url "mqtt://********@10.0.0.4"',
    'spec.sources.b.http.url "http://********@10.0.0.4/v"',
  ]);
  const webhook = { url: `https://${login}/hook` };
  const actions: RuleSpec["actions"] = [
    { mqtt: { topic: "x", broker: { url: `mqtts://${login}` } } },
    { http: { url: `http://${login}/v` } },
    { influx: { url: `http://${login}`, bucket: "b", measurement: "m" } },
    { redis: { url: `redis://${login}`, key: "k" } },
    { sql: { url: `postgres://${login}/db`, table: "t" } },
    {
      alarm: {
        name: "hot",
        message: "m",
        clearAfter: "1m",
        notify: [{ webhook }],
        escalate: [{ after: "1m", notify: [{ webhook }] }],
      },
    },
  ];
  assert.deepEqual(said(withLogin({ actions })), [
    'spec.actions[0].mqtt.broker.url "mqtts://********@10.0.0.4"',
    'spec.actions[1].http.url "http://********@10.0.0.4/v"',
    'spec.actions[2].influx.url "http://********@10.0.0.4"',
    'spec.actions[3].redis.url "redis://********@10.0.0.4"',
    'spec.actions[4].sql.url "postgres://********@10.0.0.4/db"',
    'spec.actions[5].alarm.notify[0].webhook.url "https://********@10.0.0.4/hook"',
    'spec.actions[5].alarm.escalate[0].notify[0].webhook.url "https://********@10.0.0.4/hook"',
  ]);
});
