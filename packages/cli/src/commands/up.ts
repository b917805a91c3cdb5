import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Client, createClient } from "@penstock/api";
import { AppError } from "@penstock/model";
import type { Command } from "commander";
import { type Child, startChild } from "../child.ts";
import { type Context, saveContext } from "../context.ts";
import { installedPaths } from "../installed-paths.ts";
import { kindOfResource, paramsOf, verbsOf } from "../kind-names.ts";
import { LiveTable } from "../live-table.ts";
import { portNumber } from "../numeric-option.ts";
import { formatOf } from "../output.ts";
import { shownPath } from "../shown-path.ts";
import { applyOne } from "./apply.ts";

interface UpFlags {
  readonly dataDir: string;
  readonly port: string;
  readonly localPort: string;
  readonly mqttPort: string;
  readonly plantPort: string;
  readonly mappers: readonly string[];
  readonly logLevel: string;
  readonly output?: string;
}
interface Login {
  readonly user: string;
  readonly password: string;
}

const node = "gw-01";
const tenant = "default";

export function upCommand(program: Command): void {
  program
    .command("up")
    .description("start a cloud, a gateway and a simulated bottling line, and show its values; nothing to install")
    .option("--data-dir <path>", "where everything is kept", "penstock-data")
    .option("--port <number>", "TLS port of the cloud; 0 = any free one", "8443")
    .option("--local-port <number>", "plain port of the cloud on loopback; 0 = any free one", "8080")
    .option("--mqtt-port <number>", "MQTT port of the gateway; 0 = any free one", "1883")
    .option("--plant-port <number>", "Modbus TCP port of the plant; 0 = any free one", "0")
    .option("--mappers <folder...>", "further folders with mappers, for its gateway", [])
    .option("--log-level <level>", "trace, debug, info, warn or error", "info")
    .option("-o, --output <format>", "json: the first line is one object with the addresses and the login")
    .action((flags: UpFlags) => up(flags));
}

async function up(flags: UpFlags): Promise<void> {
  const format = formatOf(flags.output);
  for (const [option, text] of Object.entries({
    "--port": flags.port,
    "--local-port": flags.localPort,
    "--mqtt-port": flags.mqttPort,
    "--plant-port": flags.plantPort,
  })) {
    portNumber(option, text);
  }
  const folder = resolve(flags.dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const contextPath = resolve(folder, "context.json");
  /** puts the login back without the ports, which are only ours while this runs */
  let forgetPorts = () => {};
  const children: Child[] = [];
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  try {
    const common = ["--until-stdin-ends", "--log-level", flags.logLevel, "-o", "json"];
    const starting = [
      startChild({
        name: "plant",
        script: installedPaths.plant,
        args: ["--port", flags.plantPort],
        logPath: resolve(folder, "plant.log"),
      }),
      startChild({
        name: "cloud",
        script: installedPaths.cli,
        args: [
          "cloud",
          "--data-dir",
          resolve(folder, "cloud"),
          "--port",
          flags.port,
          "--local-port",
          flags.localPort,
          ...common,
        ],
        logPath: resolve(folder, "cloud.log"),
      }),
    ] as const;
    // When one of the two does not start, the other must still be stopped, or it would keep this program alive.
    for (const started of await Promise.allSettled(starting))
      if (started.status === "fulfilled") children.unshift(started.value);
    const [plant, cloud] = await Promise.all(starting);
    const addresses = cloud.first as { address: string; localAddress: string; caHash: string; login: Login | null };
    const login = rememberLogin(resolve(folder, "login.json"), addresses.login);
    const { client, context } = await logIn({ server: addresses.localAddress, login });
    saveContext(contextPath, context);
    const edgeFolder = resolve(folder, "edge");
    if (!existsSync(resolve(edgeFolder, "identity.json")))
      await join({ client, folder: edgeFolder, cloud: addresses.address });
    const units = await describePlant({ client, host: String(plant.first.host), port: Number(plant.first.port) });
    const edge = await startChild({
      name: "gateway",
      script: installedPaths.cli,
      // Where the cloud is this time: with --port 0 it moves at every start.
      args: [
        ...["edge", "--data-dir", edgeFolder, "--cloud", addresses.address, "--mqtt-port", flags.mqttPort],
        ...(flags.mappers.length > 0 ? ["--mappers", ...flags.mappers.map((path) => resolve(path))] : []),
        ...common,
      ],
      logPath: resolve(folder, "edge.log"),
    });
    children.push(edge);
    const mqtt = String(edge.first.mqttAddress);
    const ports = {
      cloud: portOf(addresses.address),
      local: portOf(addresses.localAddress),
      mqtt: portOf(mqtt),
    };
    saveContext(contextPath, { ...context, demo: { pid: process.pid, ports } });
    forgetPorts = () => saveContext(contextPath, context);
    const facts = {
      page: addresses.localAddress,
      address: addresses.address,
      caHash: addresses.caHash,
      mqtt,
      plant: `${plant.first.host}:${plant.first.port}`,
      login,
    };
    if (format === "json")
      console.log(JSON.stringify({ ...facts, pids: Object.fromEntries(children.map((c) => [c.name, c.first.pid])) }));
    else console.log(greeting(facts, folder));
    for (const child of children) {
      void child.exited.then((code) => {
        if (stopping.signal.aborted) return;
        console.error(`The ${child.name} ended (${code}); its log is in ${shownPath(folder)}`);
        process.exitCode = 1;
        stop();
      });
    }
    await show({ client, units, signal: stopping.signal, asJson: format === "json" });
  } catch (error) {
    // Told to end while it was still starting: what the start then complains of is no error.
    if (!stopping.signal.aborted) throw error;
  } finally {
    stopping.abort();
    // The gateway first, so that what it still has to say finds the cloud.
    for (const child of children.reverse()) await child.stop();
    forgetPorts();
  }
}

function portOf(address: string): number {
  return Number(new URL(address).port);
}

/** The first login is shown once by the cloud; the demo keeps it beside its data, readable by its owner only. */
function rememberLogin(path: string, first: Login | null): Login {
  if (first !== null) writeFileSync(path, `${JSON.stringify(first)}\n`, { mode: 0o600 });
  if (!existsSync(path))
    throw new AppError(
      "request/unauthenticated",
      `Cannot log in: "${path}" is missing; start with another --data-dir, or use penstock cloud and penstock edge instead of up`,
    );
  return JSON.parse(readFileSync(path, "utf8")) as Login;
}

async function logIn(options: {
  readonly server: string;
  readonly login: Login;
}): Promise<{ readonly client: Client; readonly context: Context }> {
  const open = createClient({ baseUrl: options.server, fetch: globalThis.fetch });
  const session = await open.session.login({ body: { user: options.login.user, password: options.login.password } });
  const token = session.token ?? "";
  const client = createClient({ baseUrl: options.server, token, fetch: globalThis.fetch });
  return { client, context: { server: options.server, token, tenant } };
}

async function join(options: {
  readonly client: Client;
  readonly folder: string;
  readonly cloud: string;
}): Promise<void> {
  const { client, folder, cloud } = options;
  await applyOne({
    verbs: verbsOf(client, "nodes"),
    kind: "nodes",
    tenant,
    document: { kind: "Node", metadata: { name: node }, spec: {} },
  });
  const token = await client.joinTokens.create({
    params: { tenant },
    body: { node, ttl: "10m" },
    idempotencyKey: randomUUID(),
  });
  const { joinCloud } = await import("@penstock/edge");
  await joinCloud({ dataDir: folder, cloud, token: token.token });
}

async function describePlant(options: {
  readonly client: Client;
  readonly host: string;
  readonly port: number;
}): Promise<Map<string, string>> {
  const { plantDevices } = await import("@penstock/testkit");
  const units = new Map<string, string>();
  for (const document of plantDevices({ host: options.host, port: options.port, node })) {
    const kind = kindOfResource(document.kind);
    const verbs = verbsOf(options.client, kind);
    const name = document.metadata.name;
    // Only the plant's address changes from start to start: what the user has made of the devices stays.
    const isThere =
      kind === "devices" &&
      (await verbs.get({ params: paramsOf(kind, tenant, name) }).then(
        () => true,
        () => false,
      ));
    if (!isThere) await applyOne({ verbs, kind, tenant, document: document as never });
    const properties = (document.spec as { properties?: Record<string, { unit?: string }> }).properties ?? {};
    for (const [property, { unit }] of Object.entries(properties))
      if (unit !== undefined) units.set(`${name}.${property}`, unit);
  }
  return units;
}

async function show(options: {
  readonly client: Client;
  readonly units: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  readonly asJson: boolean;
}): Promise<void> {
  const table = new LiveTable(options.units);
  const isTerminal = process.stdout.isTTY && !options.asJson;
  const drawing = isTerminal
    ? setInterval(() => process.stdout.write(table.frame(process.stdout.rows ?? 40)), 500)
    : null;
  try {
    for await (const { event, data } of options.client.live.stream({ params: { tenant }, signal: options.signal })) {
      if (event !== "readings") continue;
      for (const reading of data.readings) {
        const lines = table.take(reading, performance.now());
        if (isTerminal) continue;
        if (!options.asJson) for (const line of lines) console.log(line);
        else if (lines.length > 0) console.log(JSON.stringify({ event: "reading", ...reading }));
      }
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    if (drawing !== null) clearInterval(drawing);
  }
}

function greeting(
  facts: { page: string; address: string; mqtt: string; plant: string; login: Login },
  folder: string,
): string {
  return [
    "",
    `  Page      ${facts.page}`,
    `  Login     ${facts.login.user} / ${facts.login.password}`,
    `  Gateways  ${facts.address}`,
    `  MQTT      ${facts.mqtt}`,
    `  Plant     Modbus TCP at ${facts.plant}`,
    `  Data      ${shownPath(folder)}`,
    "",
    "  In another terminal, in this folder:  npx penstock get devices   or   npx penstock set conveyor-01 speed 42",
    "  Ctrl-C ends it; the data stays.",
    "",
  ].join("\n");
}
