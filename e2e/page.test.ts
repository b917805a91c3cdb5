import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { needs } from "@penstock/testkit";
import { type Browser, chromium } from "playwright-core";
import { eventually, root, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
let browser: Browser | null = null;
after(async () => {
  await browser?.close();
  await bench.close();
});

const flags = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

test(
  "the page of penstock up: log in, live values, a trend, a value set and confirmed",
  needs("chromium"),
  async (t) => {
    const up = bench.process({
      name: "up",
      readyMs: 60_000,
      command: process.execPath,
      args: [
        join(root, "packages/cli/bin/penstock.js"),
        ...["up", "--port", "0", "--local-port", "0", "--mqtt-port", "0", "-o", "json"],
      ],
    });
    const first = (await up.start()) as { page: string; login: { user: string; password: string } };
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme: "light" });
    page.setDefaultTimeout(60_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // The browser reports two answers that are meant: who is logged in, before anybody is, and the refusal below.
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

    await page.getByRole("cell", { name: "gw-01" }).waitFor();
    await page.getByRole("cell", { name: "connected", exact: true }).waitFor();
    for (const device of ["Water tank", "Conveyor", "Bottle filler"])
      await page.getByRole("button", { name: device }).waitFor();

    await page.getByRole("button", { name: "Water tank" }).click();
    const row = page.locator("#properties tr", { hasText: "Tank temperature" });
    const time = () => row.locator("td").nth(3).textContent();
    const before = await eventually("a first value", async () => (await time()) || null);
    await eventually("the next value, without a reload", async () => (await time()) !== before);

    await row.getByRole("button").click();
    const drawn = async () => ((await page.locator("#trend path").first().getAttribute("d")) ?? "").split("L").length;
    await eventually("a trend that grows", async () => (await drawn()) >= 5);

    await page.getByRole("button", { name: "Conveyor" }).click();
    await page.getByLabel("New value of speed").fill("42");
    await page.getByLabel("New value of speed").press("Enter");
    await page.getByText("written, and read back as 42").waitFor();

    await page.getByLabel("New value of speed").fill("900");
    await page.getByLabel("New value of speed").press("Enter");
    await page.getByText("must be at most 100").waitFor();

    const picture = join(bench.folder, "page.png");
    await page.screenshot({ path: picture, fullPage: true });
    assert.ok(statSync(picture).size > 10_000);
    t.diagnostic(`screenshot of ${statSync(picture).size} bytes`);
    // On a phone nothing may lie beyond the edge.
    // On a phone nothing may lie beyond the edge.
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert.ok(Number(overflow) <= 0, `${overflow} pixels lie beyond the edge of a phone`);
    assert.deepEqual(complaints, []);
    await up.stop();
  },
);
