import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@penstock/api";
import type { DeviceUid, NodeIdentity, NodeUid, TenantUid } from "@penstock/model";
import { realFiles, silentLog } from "@penstock/runtime";
import { chromium, type Page } from "playwright-core";
import { createHttp } from "../../cloud/src/http/create-http.ts";
import { loadPages } from "../../cloud/src/http/pages.ts";
import { type TestBench, testBench } from "../../cloud/src/services/test/test-bench.ts";
import { consoleFolder } from "./index.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
export const skip = executablePath === undefined ? "no browser: apt-get install chromium" : false;

/** A cloud's services with one gateway and one device, their HTTP server, and a browser before the login form. */
export interface Stage {
  readonly bench: TestBench;
  readonly client: Client;
  readonly page: Page;
  readonly identity: NodeIdentity;
  /** of "conveyor-01" */
  readonly device: DeviceUid;
  /** what the browser found wrong, the 401 before the login left out */
  readonly complaints: string[];
  readonly logIn: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const conveyor = {
  node: "gw-01",
  connection: { protocol: "modbus", settings: { host: "127.0.0.1" } },
  properties: {
    heat: { type: "float64", unit: "Cel", displayName: "Temperature", visitor: { table: "holding", offset: 8 } },
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
} as const;

export async function openConsole(): Promise<Stage> {
  const bench = await testBench();
  const pages = await loadPages(realFiles(), fileURLToPath(consoleFolder));
  const { services, clock, context } = bench;
  const http = await createHttp({ services, clock, log: silentLog, metrics: context.metrics, version: "0.0.0", pages });
  const server = createServer(http.handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { token } = await createClient({ baseUrl, fetch }).session.login({ body: bench.first! });
  const client = createClient({ baseUrl, fetch, token: token! });
  const at = (name: string) => ({ params: { tenant: "default", name }, create: true });
  const node = await client.nodes.put({ ...at("gw-01"), body: { metadata: { name: "gw-01" }, spec: {} } });
  const metadata = { name: "conveyor-01", displayName: "Conveyor" };
  const made = await client.devices.put({ ...at("conveyor-01"), body: { metadata, spec: conveyor } });
  const tenant = (await client.tenants.get({ params: { name: "default" } })).metadata.uid as TenantUid;

  const browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
  const tabs = await browser.newContext({ colorScheme: "light" });
  tabs.setDefaultTimeout(10_000);
  const page = await tabs.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
  });
  await page.goto(baseUrl);
  return {
    ...{ bench, client, page, complaints },
    identity: { tenant, node: node.metadata.uid as NodeUid },
    device: made.metadata.uid as DeviceUid,
    async logIn() {
      await page.getByLabel("User").fill("admin");
      await page.getByLabel("Password").fill(bench.first!.password);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Conveyor (conveyor-01)", exact: true }).waitFor();
    },
    async close() {
      await browser.close();
      await http.close();
      await new Promise((resolve) => server.close(resolve));
      await bench.close();
    },
  };
}
