import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AlarmTransition, BootId, Micros, NodeReport, Reading, RuleHealth, RuleUid } from "@penstock/model";
import { openConsole, type Stage, skip } from "./console-fixture.ts";

let stage: Stage;
let rule: RuleUid;
const sql = "SELECT avg(heat) AS mean\nFROM `conveyor-01`\nWHERE heat > 20\nGROUP BY TUMBLINGWINDOW(ss, 10)";
before(async () => {
  if (skip !== false) return;
  stage = await openConsole();
  const { client, bench, identity, device } = stage;
  const made = await client.rules.put({
    params: { tenant: "default", name: "clean" },
    create: true,
    body: {
      metadata: { name: "clean", displayName: "Clean heat" },
      spec: { nodes: ["gw-01"], sql, actions: [{ mqtt: { topic: "clean/heat" } }, { log: {} }] },
    },
  });
  rule = made.metadata.uid as RuleUid;
  bench.services.control.nodeConnected(identity, { agentVersion: "1", remote: "test", boot: "b1" as BootId });
  const reading = { device, property: "heat", type: "float64", quality: "good", reason: null, value: 12.5 };
  bench.series.readings.push({ ...reading, time: bench.clock.now() } as Reading);
  tell({ state: "refused", reason: "rules/no-device", message: 'there is no stream "x"' });
  await stage.logIn();
});
after(() => stage?.close());

function tell(health: Partial<RuleHealth>): void {
  const { bench, identity, device } = stage;
  const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
  const well = { reason: null, message: null, rowsIn: 0, rowsOut: 0, errors: 0, lastError: null } as const;
  bench.services.control.nodeReport(identity, {
    ...{ agentVersion: "1", mappers: [], cycles: [], lines: [], counters: {}, outbox },
    devices: [{ device, state: "online", reason: null, message: null }],
    rules: [{ rule, generation: 1, state: "running", ...well, ...health }],
  } satisfies NodeReport);
}
const shot = async (name: string) => {
  const folder = process.env.CONSOLE_PICTURES;
  if (folder === undefined) return;
  for (const width of [1280, 360]) {
    await stage.page.setViewportSize({ width, height: 900 });
    await stage.page.screenshot({ path: `${folder}/${name}-${width}.png`, fullPage: true });
  }
  await stage.page.setViewportSize({ width: 1280, height: 900 });
};
/** On a phone nothing may be wider than the screen. */
const fitsPhone = async () => {
  await stage.page.setViewportSize({ width: 360, height: 740 });
  const width = await stage.page.evaluate("document.documentElement.scrollWidth");
  await stage.page.setViewportSize({ width: 1280, height: 900 });
  assert.equal(width, 360);
};

test("the list of rules shows each at its gateways, and what is wrong", { skip }, async () => {
  const { page } = stage;
  await page.getByRole("link", { name: /^Rules/ }).click();
  const row = page.locator("#rules tr");
  await row.getByText("refused").waitFor();
  await row.getByText('gw-01: there is no stream "x"').waitFor();
  await page.getByRole("link", { name: "Rules 1" }).waitFor();
  await shot("rules");
  await fitsPhone();
});

test("a rule's page says at each gateway why it is silent, in the server's words", { skip }, async () => {
  const { page } = stage;
  tell({ rowsIn: 7 });
  await page.getByRole("link", { name: "Clean heat" }).click();
  await page.getByRole("heading", { name: "Clean heat (clean)" }).waitFor();
  const row = page.locator("#rule-nodes tr");
  await row
    .getByText("none of 7 rows gave a result: WHERE heat > 20 is not true for the last values, heat = 12.5")
    .waitFor();
  await page.locator("#rule-actions", { hasText: "clean/heat" }).waitFor();
});

test("a mistake in the query is shown where it is, and nothing is stored; what is right is saved and taken back", {
  skip,
}, async () => {
  const { page, client } = stage;
  const text = page.locator("#rule-text");
  assert.equal(await text.inputValue(), sql);
  await text.fill(sql.replace("heat >", "haet >"));
  await page.getByRole("button", { name: "Check" }).click();
  await page
    .locator("#rule-faults", { hasText: 'line 3, column 7: at gateway "gw-01": there is no column "haet"' })
    .waitFor();
  const selected = "(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))";
  assert.equal(await page.evaluate(`${selected}(document.getElementById("rule-text"))`), "haet");
  const get = async () => (await client.rules.get({ params: { tenant: "default", name: "clean" } })).spec;
  assert.equal((await get()).sql, sql);
  await shot("rule");
  await fitsPhone();

  await text.fill(sql.replace("> 20", "> 10"));
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("Nothing is wrong with it").waitFor();
  assert.equal((await get()).sql, sql, "checking stores nothing");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved").waitFor();
  assert.match((await get()).sql!, /> 10/);

  await page.locator("#rule-history summary").click();
  await page.getByRole("button", { name: "Restore version 1" }).click();
  await page.locator("#rule-history-rows tr", { hasText: "3" }).first().waitFor();
  assert.equal((await get()).sql, sql);
  assert.equal(await text.inputValue(), sql);

  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Start" }).waitFor();
  assert.equal((await get()).state, "stopped");
  assert.deepEqual(
    stage.complaints.filter((one) => !one.includes("400")),
    [],
  );
});

test("a condition is edited as JSON, and what is taken out of it is gone", { skip }, async () => {
  const { page, client } = stage;
  const at = { params: { tenant: "default", name: "watch" } };
  const condition = { device: "conveyor-01", property: "heat", above: 80, hysteresis: 5 };
  const spec = { nodes: ["gw-01"], condition, actions: [{ alarm: { name: "hot", message: "hot" } }] };
  await client.rules.put({ ...at, create: true, body: { metadata: { name: "watch" }, spec } });
  await page.goto(`${page.url().split("#")[0]}#/rules`);
  await page.getByRole("link", { name: "watch" }).click();
  await page.getByRole("heading", { name: "Condition" }).waitFor();
  const text = page.locator("#rule-text");
  assert.deepEqual(JSON.parse(await text.inputValue()), condition);
  await text.fill('{ "device": "conveyor-01", "property": "heat", "above": 90 }');
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved").waitFor();
  const { condition: stored } = (await client.rules.get(at)).spec;
  assert.deepEqual(stored, { device: "conveyor-01", property: "heat", above: 90 });
  await page.getByRole("link", { name: "All rules" }).click();
  await page.getByRole("link", { name: "Clean heat" }).click();
  await page.getByRole("heading", { name: "Clean heat (clean)" }).waitFor();
});

test("the query as it stands is tried on typed-in rows, step by step", { skip }, async () => {
  const { page } = stage;
  await page.locator("#trial-rows").fill('{"heat": 30}\n{"heat": 10}');
  await page.getByRole("button", { name: "Try these rows" }).click();
  await page.getByText("2 rows in, 1 result, as at gw-01").waitFor();
  const steps = await page.locator("#trial-steps tr").allTextContents();
  assert.equal(steps.length, 3);
  assert.match(steps[0]!, /\{"heat":30\}yes/);
  assert.match(steps[1]!, /\{"heat":10\}no/);
  assert.match(steps[2]!, /\(time\).*\{"mean":30\}/);
  await shot("trial");
  await fitsPhone();
  await page.locator("#trial-rows").fill("heat 30");
  await page.getByRole("button", { name: "Try these rows" }).click();
  await page.getByText('Line 1 must be a JSON object such as {"level": 1.5}').waitFor();
});

test("alarms show floods as one, who shelved what, and the history with what was done to the device", {
  skip,
}, async () => {
  const { page, bench, identity, device, client } = stage;
  const until = (bench.clock.now() + 3600e6) as Micros;
  const raised = (number: number, change: Partial<AlarmTransition> = {}): AlarmTransition => ({
    ...{ number, occurrence: number, kind: "raised", time: bench.clock.now(), rule, ruleName: "clean", alarm: "hot" },
    ...{ key: "conveyor-01", device, severity: "critical", message: "30 °C", state: "unacknowledged", count: 1 },
    ...{ shelving: null, who: null, comment: null, escalated: 0, ...change },
  });
  const take = (...of: AlarmTransition[]) =>
    bench.services.control.ruleAlarms!.takeTransitions(identity, "e".repeat(32), of);
  await take(
    raised(1),
    raised(2, { key: "*", device: null, count: 12, message: '12 of "hot" at once' }),
    raised(3, { alarm: "cold", severity: "minor" }),
    raised(4, { alarm: "cold", severity: "minor", occurrence: 3, kind: "shelved", shelving: { until, by: "ada" } }),
  );
  bench.clock.move(1000);
  await client.twins.setDesired({
    params: { tenant: "default", device: "conveyor-01", property: "speed" },
    query: {},
    body: { value: "40" },
  });
  await page.getByRole("link", { name: /^Alarms/ }).click();
  const rows = page.locator("#alarms > tr");
  await rows.getByText("12 at once, as one").waitFor();
  await rows.getByText(/shelved by ada until/).waitFor();
  const hot = rows.filter({ hasText: "30 °C" }).filter({ hasText: "clean/hot" });
  await hot.getByRole("button", { name: "History" }).click();
  await page.locator("#alarms .lines li", { hasText: /set by admin speed = 40/ }).waitFor();
  await shot("alarms");
  await fitsPhone();
  await hot.getByRole("button", { name: "Acknowledge" }).click();
  await hot.getByText("acknowledge waits for the gateway").waitFor();
  await page.locator("#alarm-filter").selectOption("shelved=true");
  await hot.first().waitFor({ state: "detached" });
  assert.equal(await rows.count(), 1);
  await rows.getByRole("button", { name: "Unshelve" }).waitFor();
});
