import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AlarmTransition, Micros, NodeIdentity, RuleUid } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref } from "./test/test-plant.ts";

let bench: TestBench;
let identity: NodeIdentity;
let rule: RuleUid;
const url = "https://hook.example/x";
before(async () => {
  bench = await testBench();
  ({ identity } = await plant(bench, "a"));
  const made = await bench.services.rules.create(system, ref("watch"), {
    metadata: { name: "watch" },
    spec: {
      nodes: ["gw-a"],
      condition: { device: "conveyor-a", property: "temperature", above: 5 },
      actions: [
        {
          alarm: {
            ...{ name: "hot", message: "hot", notify: [{ webhook: { url, secret: "key" } }] },
            escalate: [{ after: "5m", notify: [{ email: { to: ["ada@example.com"] } }] }],
          },
        },
      ],
    },
  });
  rule = made.metadata.uid as RuleUid;
});
after(() => bench.close());

let number = 0;
const tell = (
  kind: AlarmTransition["kind"],
  state: AlarmTransition["state"],
  change: Partial<AlarmTransition> = {},
) => {
  number += 1;
  const transition: AlarmTransition = {
    ...{ number, occurrence: 1, kind, time: (1_000_000 * number) as Micros, rule, ruleName: "watch", alarm: "hot" },
    ...{ key: "", device: null, severity: "major", message: "hot\nstuff", state, count: 1, shelving: null },
    ...{ who: null, comment: null, escalated: 0, ...change },
  };
  return bench.services.control.ruleAlarms!.takeTransitions(identity, "e".repeat(32), [transition]);
};
/** Timers of the bench run when its clock moves; what they begin ends by itself, and may set the next. */
async function moved(ms: number, until: () => boolean | Promise<boolean>) {
  bench.clock.move(ms);
  for (let i = 0; i < 500 && !(await until()); i++) {
    await pause(2);
    bench.clock.move(0);
  }
  assert.ok(await until());
}
const stored = () => bench.state.db.selectFrom("alarm_notices").selectAll().execute();
const waiting = async () => (await stored()).length;
/** so often has the one that waits been tried, and it is written down */
const attempted = async (times: number) => (await stored())[0]?.attempts === times;

test("a webhook hears of the alarm, signed; the mail goes when it escalates; both hear that it is over", async () => {
  await tell("raised", "unacknowledged");
  await moved(1, async () => bench.posts.length === 1 && (await waiting()) === 0);
  const [{ url: to, headers, body }] = bench.posts as [(typeof bench.posts)[0]];
  assert.equal(to, url);
  assert.equal(headers["penstock-signature"], `sha256=${createHmac("sha256", "key").update(body).digest("hex")}`);
  assert.deepEqual(
    [JSON.parse(body).transition.kind, JSON.parse(body).transition.rule, JSON.parse(body).node],
    ["raised", "watch", identity.node],
  );
  await tell("escalated", "unacknowledged", { escalated: 1, severity: "critical" });
  await moved(1, async () => bench.mails.length === 1 && (await waiting()) === 0);
  assert.deepEqual(bench.mails[0]!.to, ["ada@example.com"]);
  assert.equal(bench.mails[0]!.subject, "[critical] watch/hot escalated: hot stuff");
  await tell("cleared", "returned", { escalated: 1 });
  await moved(1, async () => bench.posts.length === 2 && bench.mails.length === 2 && (await waiting()) === 0);
});

test("what is not taken is tried again with growing pauses, over a restart too, and given up in the end", async () => {
  const { post } = bench.notifier;
  let tries = 0;
  bench.notifier.post = async (request) => {
    tries += 1;
    if (tries < 3) throw new Error("down");
    return post(request);
  };
  const before = bench.posts.length;
  await tell("raised", "unacknowledged");
  await moved(1, () => attempted(1));
  await bench.restart();
  await moved(5_000, () => attempted(2));
  bench.clock.move(9_000);
  await pause(20);
  assert.equal(tries, 2, "the second pause is twice the first");
  await moved(1_000, async () => (await waiting()) === 0);
  assert.deepEqual([bench.posts.length, tries], [before + 1, 3]);

  bench.notifier.post = async () => {
    tries += 1;
    throw new Error("down");
  };
  await tell("raised", "unacknowledged");
  await moved(1, () => attempted(1));
  for (let i = 0; i < 500 && (await waiting()) > 0; i++) {
    bench.clock.move(3_600_000);
    await pause(2);
  }
  assert.deepEqual([await waiting(), tries], [0, 19], "given up after 16 attempts");
});

test("who is shelved is not talked of", async () => {
  await tell("raised", "unacknowledged", { shelving: { until: null, by: "ada" } });
  assert.equal(await waiting(), 0);
});
