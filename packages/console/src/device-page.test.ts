import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BootId, CallReport, CycleHealth, NodeReport, PropertyHold } from "@penstock/model";
import { openConsole, type Stage, skip } from "./console-fixture.ts";

const big = "9007199254740993";
let stage: Stage;
before(async () => {
  if (skip !== false) return;
  stage = await openConsole();
  await describeMore();
  await stage.logIn();
});
after(() => stage?.close());

const methods = {
  start: {
    displayName: "Start a batch",
    arguments: {
      rate: { type: "int64", unit: "{bottles}/h", minimum: 0, maximum: 100 },
      note: { type: "string", optional: true },
    },
    sets: { speed: `\${rate}` },
  },
} as const;
/** The conveyor takes defaults from a model, and has a method: its second version. */
async function describeMore(): Promise<void> {
  const { client } = stage;
  const params = (name: string) => ({ params: { tenant: "default", name } });
  const base = {
    protocol: "modbus",
    address: { unitId: 7 },
    properties: { heat: { type: "float64", collect: { every: "500ms" }, report: { onChange: {}, atLeast: "10m" } } },
  } as const;
  await client.deviceModels.put({
    ...params("base"),
    create: true,
    body: { metadata: { name: "base" }, spec: base },
  });
  const before = await client.devices.get(params("conveyor-01"));
  await client.devices.patch({
    ...params("conveyor-01"),
    ifMatch: before.metadata.resourceVersion,
    body: { spec: { model: "base", methods, custom: { asset: BigInt(big) } } },
  });
}
function report(cycles: readonly CycleHealth[]): NodeReport {
  const { device } = stage;
  const outbox = { bytes: 0, entries: 0, readings: 0, oldestAgeMs: 0, dropped: 0, refused: 0, full: false };
  const health = { device, state: "online", reason: null, message: null } as const;
  return { agentVersion: "1", mappers: [], devices: [health], cycles, lines: [], counters: {}, outbox };
}
const row = (property: string) => stage.page.locator("#properties tr", { hasText: property });

test("a property shows when it is collected and reported, the cycles measured, and that one is overrun", {
  skip,
}, async () => {
  const { page, bench, identity, device } = stage;
  await row("Temperature").getByText("every 500ms").waitFor();
  await row("Temperature").getByText("on change, at least every 10m").waitFor();
  const cycle: CycleHealth = {
    ...{ device, cadence: { everyMs: 500 }, properties: 1, measuredMs: 1234.5, longestMs: 2000, reportMs: 61_000 },
    ...{ overruns: 7, isOverrun: true },
  };
  bench.services.control.nodeConnected(identity, { agentVersion: "1", remote: "test", boot: "b1" as BootId });
  bench.services.control.nodeReport(identity, report([cycle]));
  await row("Temperature").getByText("measured 1.23 s").waitFor();
  await row("Temperature").getByText("overrun, 7 skipped").waitFor();
  await row("Temperature").getByText("measured 1.02 min").waitFor();
  // Another cadence, not yet measured.
  await row("speed").getByText("every 1s").waitFor();
  assert.equal(await row("speed").getByText("measured").count(), 0);
  await page.locator("#presence", { hasText: /^online since / }).waitFor();
});

test("a property shows who holds it at the gateway, and a value set meanwhile that it waits", { skip }, async () => {
  const { page, bench, identity, device } = stage;
  const hold: PropertyHold = {
    ...{ device, property: "speed", holder: "<b>shift 2</b>", type: "int64", value: 20n },
    ...{ since: bench.clock.now(), until: null },
  };
  await bench.services.control.takeHolds(identity, [hold]);
  await row("speed").getByText("held at 20 bottles/h by <b>shift 2</b>").waitFor();
  await page.getByLabel("New value of speed").fill("30");
  await page.getByRole("button", { name: "Set speed" }).press("Enter");
  await row("speed").getByText("pending 30 bottles/h").waitFor();
  await row("speed")
    .getByText(/holds the property since .+ waits until .+\(twin\/held\)/)
    .waitFor();
  await bench.services.control.takeHolds(identity, []);
  await row("speed").getByText("held at").waitFor({ state: "detached" });
});

test("a method has a form made from its arguments, and shows how each call ended", { skip }, async () => {
  const { page, bench, identity, device } = stage;
  const { control } = bench.services;
  await page.getByLabel("rate of start").fill("200");
  await page.keyboard.press("Enter");
  await page.locator("#methods output", { hasText: "must be at most 100" }).waitFor();
  await page.getByLabel("rate of start").fill("50");
  await page.getByRole("button", { name: "Call Start a batch (start)" }).click();
  const pending = async () => {
    for (;;) {
      const [call] = await control.pendingCalls(identity);
      if (call !== undefined) return call;
    }
  };
  const call = await pending();
  // The optional argument that was left empty is not sent.
  assert.deepEqual(call.arguments, [{ name: "rate", type: "int64", value: 50n }]);
  const step = { property: "speed", state: "failed", reason: "mapper/timeout", message: "No answer" } as const;
  const failed: CallReport = {
    ...{ id: call.id, device, state: "failed", reason: "mapper/timeout", message: "No answer from the device" },
    ...{ type: null, value: null, steps: [step], time: bench.clock.now() },
  };
  await control.takeCallReports(identity, [failed]);
  const calls = page.getByRole("list", { name: "Latest calls of Start a batch (start)" });
  await calls.getByText("No answer from the device (mapper/timeout)").waitFor();
  await calls.getByText("speed failed: No answer (mapper/timeout)").waitFor();
  assert.match((await calls.textContent()) ?? "", /^failed rate 50 .+ by admin/);
});

test("every setting says who it comes from, with all digits of what is custom", { skip }, async () => {
  const { page } = stage;
  await page.getByText("Settings, and where each comes from").click();
  const setting = (name: string) => page.locator("#origins-rows tr", { hasText: name });
  await setting("properties.heat.collect.every").getByText("model base").waitFor();
  await setting("properties.heat.unit").getByText("this device").waitFor();
  await setting("custom.asset").getByText(big, { exact: true }).waitFor();
  assert.equal(await setting("properties.heat.access").count(), 0);
  await page.getByLabel("defaults too").check();
  await setting("properties.heat.access").getByText("built-in default").waitFor();
  await page.locator("#origins").getByLabel("Find").fill("unitId");
  assert.equal(await page.locator("#origins-rows tr").count(), 1);
});

test("the history tells what each version changed", { skip }, async () => {
  const { page } = stage;
  await page.locator("#history").getByText("History", { exact: true }).click();
  await page.getByRole("button", { name: "What version 2 changed" }).click();
  await page.locator("#history-rows li", { hasText: "spec.model" }).getByText("base").waitFor();
  await page.locator("#history-rows li", { hasText: "spec.custom" }).getByText(big).waitFor();
  // The browser's own words for the arguments that were refused and the call that failed.
  assert.deepEqual(
    stage.complaints.filter((text) => !/status of (400|504)/.test(text)),
    [],
  );
});
