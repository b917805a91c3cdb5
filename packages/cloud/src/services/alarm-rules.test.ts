// biome-ignore-all lint/suspicious/noTemplateCurlyInString: columns of results
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AppError, NodeIdentity, RuleSpec } from "@penstock/model";
import { system } from "./context.ts";
import { type TestBench, testBench } from "./test/test-bench.ts";
import { plant, ref } from "./test/test-plant.ts";

let bench: TestBench;
let identity: NodeIdentity;
before(async () => {
  bench = await testBench();
  ({ identity } = await plant(bench, "a"));
});
after(() => bench.close());

const alarm = { name: "hot", message: "at ${temperature}" };
const device = "conveyor-a";
const create = (spec: Omit<RuleSpec, "nodes">, name = "r") =>
  bench.services.rules.create(system, ref(name), { metadata: { name }, spec: { nodes: ["gw-a"], ...spec } });
async function refused(spec: Omit<RuleSpec, "nodes">): Promise<string> {
  const error = await create(spec, "refused").then(
    () => assert.fail("nothing was refused"),
    (error: AppError) => error,
  );
  return error.fields.map(({ field, rule }) => `${field}: ${rule}`).join("\n");
}

test("a condition becomes SQL and a reason, and whom the cloud tells stays there", async () => {
  await create({
    condition: { device, property: "temperature", above: { property: "speed" }, hysteresis: 2 },
    actions: [
      {
        alarm: {
          ...{ ...alarm, severity: "minor", onDelay: "5s" },
          notify: [{ webhook: { url: "https://hook.example/x", secret: "s" } }],
          escalate: [{ after: "5m", severity: "critical", notify: [{ email: { to: ["a@example.com"] } }] }],
        },
      },
    ],
  });
  const { rules } = await bench.services.control.assigned(identity);
  assert.deepEqual(
    rules.map(({ sql, mode, actions }) => ({ sql, mode, actions })),
    [
      {
        ...{ sql: "SELECT `temperature`, `speed` FROM `conveyor-a`", mode: "strict" },
        actions: [
          {
            alarm: {
              ...{ ...alarm, severity: "minor", onDelay: "5s", device, key: device },
              when: { value: "temperature", above: { column: "speed" }, hysteresis: 2 },
              escalate: [{ after: "5m", severity: "critical" }],
            },
          },
        ],
      },
    ],
  );
});

test("an alarm that cannot work is refused with its field", async () => {
  const sql = `SELECT temperature, speed FROM \`${device}\``;
  const when = { value: "temperature", above: 5 };
  const cases: [spec: Omit<RuleSpec, "nodes">, about: RegExp][] = [
    [{ actions: [{ alarm }] }, /^spec: must state one of sql and condition/m],
    [{ sql, actions: [{ alarm }] }, /alarm: must state active, when or clearAfter/],
    [
      { sql, actions: [{ alarm: { ...alarm, when: { value: "temperature" } } }] },
      /alarm\.when: must state one of above/,
    ],
    [
      { sql, actions: [{ alarm: { ...alarm, when: { ...when, gap: { for: "1s" } } } }] },
      /alarm\.when: must state one of above/,
    ],
    [{ sql, actions: [{ alarm: { ...alarm, active: "hot", when } }] }, /must state one of active and when/],
    [
      { sql, actions: [{ alarm: { ...alarm, active: "hot" } }] },
      /must be a column of the result: there are temperature/,
    ],
    [
      { sql, actions: [{ alarm: { ...alarm, when: { value: "temperature", above: { column: "limit" } } } }] },
      /must be a column of the result/,
    ],
    [{ sql, actions: [{ alarm: { ...alarm, message: "${t}", when } }] }, /names no column "t"/],
    [
      { sql, actions: [{ alarm: { ...alarm, when } }, { alarm: { ...alarm, when } }] },
      /\[1\]\.alarm\.name: must be unique/,
    ],
    [
      { sql, actions: [{ alarm: { ...alarm, when, escalate: [{ after: "5m" }, { after: "5m" }] } }] },
      /escalate\[1\]\.after: must be later/,
    ],
    [
      {
        sql,
        actions: [{ alarm: { ...alarm, when, onRaise: [{ write: { device, property: "temperature", value: 1 } }] } }],
      },
      /onRaise\[0\]\.write\.property: .*access .* is read/,
    ],
    [
      { sql, actions: [{ alarm: { ...alarm, when, onClear: [{ call: { device: "none", method: "stop" } }] } }] },
      /onClear\[0\]\.call\.device: must be a device/,
    ],
    [
      { condition: { device, property: "pressure", above: 1 }, actions: [{ alarm }] },
      /spec\.sql: .*no column "pressure"/,
    ],
    [{ condition: { device, property: "speed", above: 1 }, actions: [{ log: {} }] }, /must have an alarm/],
  ];
  for (const [spec, about] of cases) assert.match(await refused(spec), about);
});
