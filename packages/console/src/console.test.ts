import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { batchFromSamples, type Epoch, type Layout, layoutOrder, type Micros } from "@penstock/model";
import { openConsole, type Stage, skip } from "./console-fixture.ts";

const big = "9007199254740993";
let stage: Stage;
before(async () => {
  if (skip === false) stage = await openConsole();
});
after(() => stage?.close());

const heat = 59.12213000001;
/** One reading of each property arrives. */
function commit(seq: number, count: bigint): void {
  const { bench, identity, device } = stage;
  const time = (bench.clock.now() + seq * 1000) as Micros;
  const properties = layoutOrder([
    { name: "count", type: "uint64" },
    { name: "heat", type: "float64" },
    { name: "speed", type: "int64" },
  ]);
  const layout: Layout = { id: 1, device, properties };
  const sample = (property: string, value: bigint | number) =>
    ({ property, time, value, quality: "good", reason: null }) as const;
  const { batch } = batchFromSamples({
    layout,
    samples: [sample("count", count), sample("heat", heat), sample("speed", 7n)],
  });
  bench.services.onCommitted({ ...identity, epoch: "e" as Epoch, firstSeq: seq, layout, batch });
}
const cell = (property: string) => stage.page.locator("#properties tr", { hasText: property }).locator("td").nth(1);

test("the page refuses a wrong password in words, and logs in by keyboard alone", { skip }, async () => {
  const { page, bench, complaints } = stage;
  await page.getByLabel("User").fill("admin");
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("user or password is wrong").waitFor();
  await page.getByLabel("Password").fill(bench.first!.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Conveyor (conveyor-01)", exact: true }).waitFor();
  await page.locator("#presence", { hasText: "Its gateway has never connected (link/closed)" }).waitFor();
  assert.deepEqual(complaints, []);
});

test("the page shows 64-bit values whole, as they arrive, in every tab of the browser over one stream", {
  skip,
}, async () => {
  const { page, bench } = stage;
  await page.locator("#stream", { hasText: "live" }).waitFor();
  while (bench.services.live.streams < 1) await new Promise((resolve) => setImmediate(resolve));
  const second = await page.context().newPage();
  await second.goto(page.url());
  await second.getByRole("heading", { name: "Conveyor (conveyor-01)", exact: true }).waitFor();
  commit(1, BigInt(big));
  await cell("count").getByText(big, { exact: true }).waitFor();
  await second.locator("#properties tr", { hasText: "count" }).getByText(big, { exact: true }).waitFor();
  assert.equal(bench.services.live.streams, 1);
  commit(2, BigInt(big) + 2n);
  await cell("count").getByText("9007199254740995", { exact: true }).waitFor();
  await second.close();
  // The page's clock is the machine's, the server's is the test's: the trend follows the server's.
  const line = page.locator("#trend path");
  await line.waitFor({ state: "attached" });
  assert.match((await line.getAttribute("d")) ?? "", /^M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/);
});

test("the page shows values at a glance, in people's units, with the range beside the input and a trend at once", {
  skip,
}, async () => {
  const { page } = stage;
  const row = page.locator("#properties tr", { hasText: "heat" });
  await row.getByText("59.1221", { exact: true }).waitFor();
  assert.equal(await cell("heat").locator(".value").getAttribute("title"), String(heat));
  await row.getByText("°C", { exact: true }).waitFor();
  await page.locator("#properties form", { hasText: "bottles/h" }).getByText("0 to 100", { exact: true }).waitFor();
  await page.getByText("Trend of Temperature (heat), °C").waitFor();
});

test("the page sets a value and shows what became of it, step by step", { skip }, async () => {
  const { page, bench, identity, device } = stage;
  const input = page.getByLabel("New value of speed");
  await input.fill("101");
  await page.keyboard.press("Enter");
  await page.getByText("must be at most 100").waitFor();
  await input.fill("42");
  await page.keyboard.press("Enter");
  for (;;) {
    const [pending] = await bench.services.control.pendingDesired(identity);
    if (pending === undefined) continue;
    const { property, version, value, type } = pending;
    assert.equal(value, 42n);
    const report = { device, property, version, state: "confirmed", reason: null, message: null, value, type } as const;
    await bench.services.control.takeReports(identity, [{ ...report, time: bench.clock.now() }]);
    break;
  }
  await page.getByText("confirmed 42 bottles/h, read back as 42 bottles/h").waitFor();
  const steps = (await page.getByRole("list", { name: "Steps" }).textContent()) ?? "";
  assert.match(steps, /^set by admin .+sent .+confirmed /);
  // What was refused before says no more.
  assert.equal(await page.getByText("must be at most 100").count(), 0);
});

test("the page shows an alarm as it is raised", { skip }, async () => {
  const { page, bench, identity } = stage;
  await page.getByRole("link", { name: "Alarms" }).click();
  await page.locator("#alarms").getByText("none").waitFor();
  bench.services.control.raise(identity, { code: "ingest/gap", key: "1", message: "Readings 1..5 were lost" });
  await page.getByText("Readings 1..5 were lost").waitFor();
  await page.getByRole("link", { name: "Alarms 1" }).waitFor();
  // The browser's own words for the value that was refused.
  assert.deepEqual(
    stage.complaints.filter((text) => !text.includes("422")),
    [],
  );
});
