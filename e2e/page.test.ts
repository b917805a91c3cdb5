import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { KillableProcess } from "@penstock/testkit";
import { needs } from "@penstock/testkit";
import { type Browser, chromium, type Page } from "playwright-core";
import { cliMain, eventually, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
let up: KillableProcess;
let first: { readonly page: string; readonly login: { readonly user: string; readonly password: string } };
let browser: Browser;
const hasBrowser = needs("chromium");

before(async () => {
  if (hasBrowser.skip !== undefined) return;
  up = bench.process({
    name: "up",
    readyMs: 60_000,
    command: process.execPath,
    args: [cliMain, ...["up", "--port", "0", "--local-port", "0", "--mqtt-port", "0", "-o", "json"]],
  });
  first = (await up.start()) as typeof first;
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
});
after(async () => {
  await browser?.close();
  await up?.stop();
  await bench.close();
});

const flags = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** A page after the login, and what the browser found wrong with it. */
async function openPage(look: { readonly colorScheme: "light" | "dark"; readonly width: number }) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: 900 },
    colorScheme: look.colorScheme,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // The browser reports two answers that are meant: who is logged in, before anybody is, and a refusal.
    if (message.type() === "error" && !/status of (401|422)/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(first.page)) complaints.push(`asks elsewhere: ${request.url()}`);
  });
  await page.goto(first.page);
  assert.match(await page.title(), /Penstock/);
  await page.getByLabel("User").fill(first.login.user);
  await page.getByLabel("Password").fill(first.login.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("#devices a").first().waitFor();
  return { page, complaints, close: () => context.close() };
}
const device = (page: Page, name: string) => page.locator("#devices a", { hasText: name });

test("the page of penstock up: log in, live values, a trend, a value set and confirmed", hasBrowser, async () => {
  const { page, complaints, close } = await openPage({ colorScheme: "light", width: 1200 });
  for (const name of ["Water tank", "Conveyor", "Bottle filler"])
    await device(page, name).getByText("online").waitFor();

  await device(page, "Water tank").click();
  const row = page.locator("#properties tr", { hasText: "Tank temperature" });
  const time = () => row.locator("td").nth(2).textContent();
  const before = await eventually("a first value", async () => {
    const text = await time();
    return text === null || text === "–" ? null : text;
  });
  await eventually("the next value, without a reload", async () => (await time()) !== before);
  await row.getByText("every 1s").waitFor();
  await eventually(
    "the measured cycle",
    async () => (await row.getByText(/^measured (9\d\d ms|1(\.\d+)? s)$/).count()) > 0,
  );

  await row.getByRole("button").click();
  const drawn = async () => ((await page.locator("#trend path").first().getAttribute("d")) ?? "").split("L").length;
  await eventually("a trend that grows", async () => (await drawn()) >= 5);

  await device(page, "Conveyor").click();
  await page.getByLabel("New value of speed").fill("42");
  await page.getByLabel("New value of speed").press("Enter");
  await page.getByText("confirmed 42 m/min, read back as 42 m/min").waitFor();
  const steps = (await page.getByRole("list", { name: "Steps" }).textContent()) ?? "";
  assert.match(steps, /^set by admin .+sent .+written .+confirmed /);

  await page.getByLabel("New value of speed").fill("900");
  await page.getByLabel("New value of speed").press("Enter");
  await page.getByText("must be at most 100").waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

// A press with defaults from a model, named as somebody might who means no good, and a scale too slow for its cycle.
const hall = `apiVersion: penstock.dev/v1
kind: DeviceModel
metadata: { name: press }
spec:
  protocol: virtual
  properties:
    force: { type: float64, unit: kN, visitor: { signal: sine, start: 80 }, report: { onChange: {}, atLeast: 10s } }
    target: { type: float64, unit: kN, access: readWrite, minimum: 0, maximum: 120, visitor: { signal: held } }
  methods:
    prepare:
      timeout: 50s
      arguments: { force: { type: float64, unit: kN, minimum: 0, maximum: 120 } }
      sets: { target: "\${force}" }
---
apiVersion: penstock.dev/v1
kind: Connection
metadata: { name: hall-2 }
spec: { node: gw-01, protocol: virtual, settings: { delayMs: 1500 } }
---
apiVersion: penstock.dev/v1
kind: Device
metadata: { name: press-01, displayName: "<img src=x onerror=document.title='taken'>" }
spec: { node: gw-01, connection: { protocol: virtual }, model: press, properties: { force: { minimum: 0 } } }
---
apiVersion: penstock.dev/v1
kind: Device
metadata: { name: scale-01, displayName: Slow scale }
spec:
  node: gw-01
  connection: hall-2
  properties:
    weight: { type: float64, unit: kg, visitor: { signal: sine }, collect: { every: 500ms } }
---
apiVersion: penstock.dev/v1
kind: Connection
metadata: { name: cut }
spec: { node: gw-01, protocol: modbus, settings: { host: 127.0.0.1, port: 1 } }
---
apiVersion: penstock.dev/v1
kind: Device
metadata: { name: dryer-01, displayName: Dryer }
spec:
  node: gw-01
  connection: cut
  address: { unitId: 1 }
  properties: { heat: { type: float64, unit: Cel, visitor: { table: holding, offset: 0, raw: int16 } } }
`;

test(
  "the page shows why a device is offline, what overruns, methods, where settings come from and the load of lines",
  hasBrowser,
  async () => {
    const applied = await bench.run(["apply", "-f", "-"], { input: hall });
    assert.equal(applied.code, 0, applied.stderr);
    const { page, complaints, close } = await openPage({ colorScheme: "dark", width: 1400 });

    await device(page, "Dryer").click();
    await page.locator("#presence", { hasText: /^offline since .+mapper\/connect-failed/ }).waitFor();
    await page.locator("#properties tr", { hasText: "heat" }).getByText("bad", { exact: true }).waitFor();
    await page.locator("#properties tr", { hasText: "heat" }).getByText("mapper/connect-failed").waitFor();

    await device(page, "onerror").click();
    await page.getByRole("heading", { name: "<img src=x onerror=document.title='taken'> (press-01)" }).waitFor();
    await page.getByText("on change, at least every 10s").waitFor();
    await page.locator("#presence", { hasText: "online" }).waitFor();
    await page.getByLabel("force of prepare").fill("70");
    await page.getByLabel("force of prepare").press("Enter");
    const outcome = page.locator("#methods output:is(.good, .bad, .uncertain)");
    await outcome.waitFor();
    assert.equal(await outcome.textContent(), "prepare: done");
    await page.locator("#methods .calls").getByText("target written").waitFor();
    await page.locator("#properties tr", { hasText: "target" }).locator(".value", { hasText: /^70$/ }).waitFor();
    await page.getByText("Settings, and where each comes from").click();
    const setting = (name: string) => page.locator("#origins-rows tr", { hasText: name });
    await setting("properties.force.unit").getByText("model press").waitFor();
    await setting("properties.force.minimum").getByText("this device").waitFor();
    await page.getByText("History", { exact: true }).click();
    await page.locator("#history-rows").getByText("created").waitFor();

    await device(page, "Slow scale").click();
    await page.getByText(/^overrun, \d+ skipped$/).waitFor();

    await page.getByRole("link", { name: "Connections" }).click();
    const line = (name: string) => page.locator("#connections tr", { hasText: name });
    await line("plant").getByText("up", { exact: true }).waitFor();
    await line("plant").getByRole("meter", { name: "Measured load of plant" }).waitFor();
    await line("plant").getByRole("link", { name: "Conveyor" }).waitFor();
    await line("cut").getByText("down", { exact: true }).waitFor();

    await page.getByRole("link", { name: "Gateways" }).click();
    const gateway = page.locator("#nodes tr", { hasText: "gw-01" });
    await gateway.getByText("connected", { exact: true }).waitFor();
    await gateway.getByText(/every 500ms, takes .+, \d+ skipped/).waitFor();
    await gateway.getByText("collect/overrun").waitFor();
    assert.equal(await page.locator("body img:not([src='/icon.svg'])").count(), 0);
    assert.equal(await page.title(), "Penstock");
    assert.deepEqual(complaints, []);
    await close();
  },
);

test(
  "in light and in dark, on screens and on a phone, no view of the page lies beyond the edge",
  hasBrowser,
  async (t) => {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1400, 1000, 390]) {
        const { page, complaints, close } = await openPage({ colorScheme, width });
        for (const view of ["devices/conveyor-01", "devices/press-01", "connections", "rules", "gateways", "alarms"]) {
          await page.goto(`${first.page}/#/${view}`);
          await page.locator("main:visible table td").first().waitFor();
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          assert.ok(Number(overflow) <= 0, `${view}: ${overflow} pixels lie beyond the edge of ${width}`);
          const picture = join(bench.folder, `${colorScheme}-${width}-${view.replaceAll("/", "-")}.png`);
          await page.screenshot({ path: picture, fullPage: true });
          assert.ok(statSync(picture).size > 10_000);
          t.diagnostic(`${colorScheme}, ${width} px, ${view}: screenshot of ${statSync(picture).size} bytes`);
        }
        assert.deepEqual(complaints, []);
        await close();
      }
    }
  },
);
