import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { BootId, ConnectionUid, DeviceUid, LineHealth, NodeReport } from "@penstock/model";
import { openConsole, type Stage, skip } from "./console-fixture.ts";
import { consoleFolder } from "./index.ts";

const evil = `<img src=x onerror="document.title='taken'"> <b>bold</b>`;
let stage: Stage;
let bus: ConnectionUid;
let mixer: DeviceUid;
before(async () => {
  if (skip !== false) return;
  stage = await openConsole();
  const { client } = stage;
  const at = (name: string) => ({ params: { tenant: "default", name }, create: true });
  const metadata = (name: string) => ({ name, displayName: evil });
  const settings = { host: "127.0.0.1" };
  const made = await client.connections.put({
    ...at("bus-a"),
    body: { metadata: metadata("bus-a"), spec: { node: "gw-01", protocol: "modbus", settings } },
  });
  bus = made.metadata.uid as ConnectionUid;
  const property = { type: "float64", displayName: evil, unit: "{<i>x</i>}", visitor: { table: "holding", offset: 0 } };
  const device = await client.devices.put({
    ...at("mixer-01"),
    body: {
      metadata: metadata("mixer-01"),
      spec: {
        ...{ node: "gw-01", connection: "bus-a", properties: { level: property as { type: "float64" } } },
        ...{ description: evil, custom: { [evil]: evil } },
      },
    },
  });
  mixer = device.metadata.uid as DeviceUid;
  const sql = "SELECT level FROM `mixer-01`";
  const actions = [{ mqtt: { topic: "a", template: evil } }];
  await client.rules.put({
    ...at("evil"),
    body: { metadata: metadata("evil"), spec: { nodes: ["gw-01"], sql, actions, description: evil } },
  });
  await stage.logIn();
});
after(() => stage?.close());

const line = (): LineHealth => ({
  ...{ connection: bus, state: "down", reason: "mapper/connect-failed", message: `Cannot connect to "${evil}"` },
  ...{ loadPercent: 93.26, requestsPerSecond: 12.345 },
});
function tell(): void {
  const { bench, identity } = stage;
  const outbox = { bytes: 9, entries: 1, readings: 5, oldestAgeMs: 2500, dropped: 3, refused: 0, full: true };
  const cycle = { device: mixer, cadence: { everyMs: 1000 }, properties: 1, measuredMs: 2400, longestMs: 3000 };
  const report: NodeReport = {
    ...{ agentVersion: "1.2.3", mappers: [], lines: [line()], counters: {}, outbox },
    devices: [{ device: mixer, state: "offline", reason: "mapper/timeout", message: evil }],
    cycles: [{ ...cycle, reportMs: null, overruns: 8, isOverrun: true }],
  };
  bench.services.control.nodeConnected(identity, { agentVersion: "1.2.3", remote: "test", boot: "b1" as BootId });
  bench.services.control.nodeReport(identity, report);
}
/** Pictures other than the page's own, bold or italic texts: what a name would make of itself. */
const foreign = () => stage.page.locator("body :is(img:not([src='/icon.svg']), b, i, script)").count();
const view = (name: RegExp) => stage.page.getByRole("link", { name }).click();

test("connections show state, load in percent, requests and the devices on the line; what nobody knows says so", {
  skip,
}, async () => {
  const { page } = stage;
  await view(/^Connections$/);
  const row = page.locator("#connections tr");
  await row.getByText("unknown", { exact: true }).waitFor();
  const [before] = await row.allTextContents();
  assert.match(before ?? "", /not known.*not known/);
  tell();
  await row.getByText("(mapper/connect-failed)").waitFor();
  await row.getByText("93.3 %").waitFor();
  await row.getByRole("meter", { name: "Measured load of bus-a" }).waitFor();
  await row.getByText("12.3", { exact: true }).waitFor();
  await row.getByRole("link", { name: evil }).waitFor();
  await page.locator("#lines-alone").getByRole("link", { name: "Conveyor" }).waitFor();
});

test("gateways show presence with its reason, what waits, cycles that overrun and alarms", { skip }, async () => {
  const { page, bench, identity } = stage;
  await view(/^Gateways/);
  const row = page.locator("#nodes tr");
  await row.getByText("connected", { exact: true }).waitFor();
  await row.getByText("0 of 2 online").waitFor();
  await row.getByText("5 waiting").waitFor();
  await row.getByText("3 dropped").waitFor();
  await row.getByText("every 1s, takes 2.4 s, 8 skipped").waitFor();
  await row.getByText(/"mixer-01" is to be read every 1s and takes 2400 ms/).waitFor();
  await page.getByRole("link", { name: "Alarms 2" }).waitFor();
  bench.services.control.nodeDisconnected(identity, "reset");
  await row.getByText("never joined").waitFor();
});

test("names, reasons and settings are shown as they are written and never become part of the page", {
  skip,
}, async () => {
  const { page, bench, identity } = stage;
  tell();
  bench.services.control.raise(identity, { code: "ingest/gap", key: "1", message: evil });
  await page.locator("#device-list").waitFor({ state: "hidden" });
  for (const name of [/^Connections$/, /^Rules/, /^Gateways/, /^Alarms/, /^Devices$/]) {
    await view(name);
    await page.getByText("<b>bold</b>").filter({ visible: true }).first().waitFor();
    assert.equal(await foreign(), 0, String(name));
  }
  await view(/^Alarms/);
  await page.getByRole("button", { name: "History" }).first().click();
  await page.locator("#alarms .lines li", { hasText: evil }).waitFor();
  assert.equal(await foreign(), 0);
  await view(/^Rules/);
  await page.locator("#rules a", { hasText: evil }).click();
  await page.locator("#rule-about", { hasText: evil }).waitFor();
  await page.locator("#rule-actions").getByText("<b>bold</b>").waitFor();
  assert.equal(await foreign(), 0);
  await view(/^Devices$/);
  await page.locator("#devices a", { hasText: evil }).click();
  await page.getByRole("heading", { name: `${evil} (mixer-01)` }).waitFor();
  await page.locator("#presence", { hasText: `${evil} (mapper/timeout)` }).waitFor();
  await page.locator("#properties .unit", { hasText: "<i>x</i>" }).waitFor();
  await page.getByText("Settings, and where each comes from").click();
  await page.locator("#origins-rows tr", { hasText: "custom" }).getByText(evil, { exact: true }).waitFor();
  assert.equal(await foreign(), 0);
  assert.equal(await page.title(), "Penstock");
  assert.deepEqual(stage.complaints, []);
});

test("no script of the page builds markup from texts", () => {
  const scripts = readdirSync(consoleFolder).filter((name) => name.endsWith(".js"));
  assert.ok(scripts.length > 10);
  for (const name of scripts) {
    const text = readFileSync(new URL(name, consoleFolder), "utf8");
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser|eval\(/, name);
  }
});

test("the address names the view, the browser's back button and the keyboard find their way", { skip }, async () => {
  const { page } = stage;
  await page.goto(`${page.url().split("#")[0]}#/devices/conveyor-01`);
  await page.getByRole("heading", { name: "Conveyor (conveyor-01)", exact: true }).waitFor();
  assert.equal(await page.locator("#devices [aria-current]").textContent(), "Conveyorunknown");
  await page.getByRole("link", { name: "Connections", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Connections" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Conveyor (conveyor-01)", exact: true }).waitFor();
  await page.goto(`${page.url().split("#")[0]}#/devices/gone`);
  await page.getByText('No device is called "gone".').waitFor();
  assert.equal(await page.locator("#device").isVisible(), false);
  await page.goBack();
  const unnamed = await page.evaluate(
    "[...document.querySelectorAll('input,select,textarea,button')].filter((one) => !one.closest('[hidden]') && " +
      "!(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim())).map((one) => one.outerHTML)",
  );
  assert.deepEqual(unnamed, []);
});
