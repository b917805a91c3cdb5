import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createClient } from "@penstock/api";
import {
  batchFromSamples,
  type DeviceUid,
  type Epoch,
  type Layout,
  layoutOrder,
  type Micros,
  type NodeIdentity,
  type NodeUid,
  type TenantUid,
} from "@penstock/model";
import { realFiles, silentLog } from "@penstock/runtime";
import { type Browser, chromium, type Page } from "playwright-core";
import { createHttp, type Http } from "../../cloud/src/http/create-http.ts";
import { loadPages } from "../../cloud/src/http/pages.ts";
import { type TestBench, testBench } from "../../cloud/src/services/test/test-bench.ts";
import { consoleFolder } from "./index.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const skip = executablePath === undefined ? "no browser: apt-get install chromium" : false;
const big = "9007199254740993";

let bench: TestBench;
let http: Http;
let server: Server;
let browser: Browser;
let page: Page;
let identity: NodeIdentity;
let device: DeviceUid;
const complaints: string[] = [];

before(async () => {
  if (executablePath === undefined) return;
  bench = await testBench();
  const pages = await loadPages(realFiles(), fileURLToPath(consoleFolder));
  const { services, clock, context } = bench;
  http = await createHttp({ services, clock, log: silentLog, metrics: context.metrics, version: "0.0.0", pages });
  server = createServer(http.handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { token } = await createClient({ baseUrl, fetch }).session.login({ body: bench.first! });
  const client = createClient({ baseUrl, fetch, token: token! });
  const at = (name: string) => ({ params: { tenant: "default", name }, create: true });
  const node = await client.nodes.put({ ...at("gw-01"), body: { metadata: { name: "gw-01" }, spec: {} } });
  const made = await client.devices.put({
    ...at("conveyor-01"),
    body: {
      metadata: { name: "conveyor-01", displayName: "Conveyor" },
      spec: {
        node: "gw-01",
        connection: { protocol: "modbus", settings: { host: "127.0.0.1" } },
        properties: {
          heat: {
            type: "float64",
            unit: "Cel",
            displayName: "Temperature",
            visitor: { table: "holding", offset: 8 },
          },
          count: { type: "uint64", visitor: { table: "holding", offset: 0 } },
          speed: {
            type: "int64",
            unit: "{bottles}/h",
            access: "readWrite",
            minimum: 0,
            maximum: 100,
            visitor: { table: "holding", offset: 4 },
          },
        },
      },
    },
  });
  device = made.metadata.uid as DeviceUid;
  const tenant = (await client.tenants.get({ params: { name: "default" } })).metadata.uid as TenantUid;
  identity = { tenant, node: node.metadata.uid as NodeUid };
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const tabs = await browser.newContext({ colorScheme: "light" });
  tabs.setDefaultTimeout(10_000);
  page = await tabs.newPage();
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(baseUrl);
});
after(async () => {
  if (executablePath === undefined) return;
  await browser.close();
  await http.close();
  await new Promise((resolve) => server.close(resolve));
  await bench.close();
});

const heat = 59.12213000001;
/** One reading of each property arrives. */
function commit(seq: number, count: bigint): void {
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
const cell = (property: string) => page.locator("#properties tr", { hasText: property }).locator("td").nth(1);

test("the page refuses a wrong password in words, and logs in by keyboard alone", { skip }, async () => {
  await page.getByLabel("User").fill("admin");
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("user or password is wrong").waitFor();
  await page.getByLabel("Password").fill(bench.first!.password);
  await page.keyboard.press("Enter");
  await page.getByText("Values of Conveyor (conveyor-01)").waitFor();
  await page.getByRole("cell", { name: "never joined" }).waitFor();
  // 401 answers before the login are what the browser reports; nothing else may be wrong.
  assert.deepEqual(
    complaints.filter((text) => !text.includes("401")),
    [],
  );
});

test("the page shows 64-bit values whole, as they arrive, in every tab of the browser over one stream", {
  skip,
}, async () => {
  await page.locator("#stream", { hasText: "live" }).waitFor();
  while (bench.services.live.streams < 1) await new Promise((resolve) => setImmediate(resolve));
  const second = await page.context().newPage();
  await second.goto(page.url());
  await second.getByText("Values of Conveyor (conveyor-01)").waitFor();
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
  const row = page.locator("#properties tr", { hasText: "heat" });
  await row.getByText("59.1221", { exact: true }).waitFor();
  assert.equal(await cell("heat").getAttribute("title"), String(heat));
  await row.getByText("°C", { exact: true }).waitFor();
  await page.getByText("0 to 100 bottles/h").waitFor();
  await page.getByText("Trend of Conveyor (conveyor-01) · Temperature (heat), °C").waitFor();
  await page.locator("#alarms").getByText("none").waitFor();
});

test("the page sets a value and shows what became of it", { skip }, async () => {
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
  await page.getByText("written, and read back as 42").waitFor();
  await page.getByText("42: confirmed").waitFor();
});

test("the page shows an alarm as it is raised", { skip }, async () => {
  bench.services.control.raise(identity, { code: "ingest/gap", key: "1", message: "Readings 1..5 were lost" });
  await page.getByText("Readings 1..5 were lost").waitFor();
});
