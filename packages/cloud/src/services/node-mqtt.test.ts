import assert from "node:assert/strict";
import { test } from "node:test";
import { allFilters, defaultMqtt, hiddenSecret, type NodeSpec } from "@penstock/model";
import { system } from "./context.ts";
import { testBench } from "./test/test-bench.ts";
import { plant, ref, refuses } from "./test/test-plant.ts";

const mqtt = {
  users: {
    token: { password: "hunter2-a", publish: ["apps/%u/#"] },
    screen: { password: "hunter2-b", subscribe: ["a/+"] },
  },
  broker: { url: "mqtt://hall:1883", user: "gw", password: "hunter2-c" },
} satisfies NodeSpec["mqtt"];

test("MQTT users of a node reach the gateway, and are sealed in the store and hidden in every answer", async (t) => {
  const bench = await testBench();
  t.after(() => bench.close());
  const { node, identity } = await plant(bench, "a");
  const { nodes, control } = bench.services;
  const { version, node: before } = await control.assigned(identity);
  assert.deepEqual(before.mqtt, defaultMqtt);
  const changed = await nodes.update(system, ref(node), { patch: { spec: { mqtt } }, ifMatch: "*" });
  assert.doesNotMatch(JSON.stringify(changed), /hunter2/);
  assert.equal(changed.spec.mqtt?.users?.token?.password, hiddenSecret);
  const set = await control.assigned(identity);
  assert.ok(set.version > version, "the gateway is told");
  assert.deepEqual(set.node.mqtt, {
    ...defaultMqtt,
    users: [
      { name: "token", password: "hunter2-a", publish: ["apps/token/#"], subscribe: allFilters },
      { name: "screen", password: "hunter2-b", publish: [], subscribe: ["a/+"] },
    ],
    broker: mqtt.broker,
  });
  const rows = await bench.state.db.selectFrom("resources").selectAll().execute();
  assert.doesNotMatch(JSON.stringify(rows), /hunter2/);

  // What was read is stored again, with one user less.
  const { screen: _, ...users } = changed.spec.mqtt!.users!;
  const replace = { metadata: { name: node }, spec: { mqtt: { ...changed.spec.mqtt, users } } };
  await nodes.update(system, ref(node), { replace, ifMatch: "*" });
  const after = (await control.assigned(identity)).node.mqtt;
  assert.deepEqual(
    after?.users.map(({ name, password }) => [name, password]),
    [["token", "hunter2-a"]],
  );
});

test("MQTT settings that break a rule are refused by field, and no password is told", async (t) => {
  const bench = await testBench();
  t.after(() => bench.close());
  const { node } = await plant(bench, "a");
  const user = { password: "hunter2-a" };
  const cases: [NodeSpec["mqtt"], RegExp][] = [
    [{ users: { hmi: { ...user, publish: ["a#"] } } }, /spec\.mqtt\.users\.hmi\.publish\[0\]: "a#": must have #/],
    [{ users: { hmi: { ...user, subscribe: ["$SYS/#"] } } }, /spec\.mqtt\.users\.hmi\.subscribe\[0\]/],
    [{ broker: { url: "mqtt://hall", password: "hunter2-b" } }, /spec\.mqtt\.broker\.user: \(missing\)/],
  ];
  for (const [bad, about] of cases) {
    const change = { patch: { spec: { mqtt: bad } }, ifMatch: "*" };
    await assert.rejects(bench.services.nodes.update(system, ref(node), change), (error: Error) => {
      assert.doesNotMatch(error.message, /hunter2/);
      return refuses("input/invalid", about)(error);
    });
  }
});
