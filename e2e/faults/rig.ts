import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Client, createClient } from "@penstock/api";
import { FrameProxy, freePort, KillableProcess, LinkProxy, type SimRandom } from "@penstock/testkit";
import { type MutantName, mutantEnv } from "../mutants/hook.ts";
import { type FaultPlant, faultDevices } from "./devices.ts";
import { fakeClockEnv, setFakeClock } from "./fake-clock.ts";
import type { OrderProperty, SeenWrite } from "./order-device.ts";
import { mountDisk, unmountDisk } from "./small-disk.ts";
import { until } from "./until.ts";

const cli = resolve(import.meta.dirname, "../../packages/cli/src/main.ts");
const plantProgram = resolve(import.meta.dirname, "plant.ts");
export const tenant = "default";
export const node = "gw-01";

export interface PlantReport {
  /** answered reads of `samples`, by load device in order */
  readonly samples: readonly number[];
  readonly setpoints: readonly number[];
  /** by device in order */
  readonly orders: readonly {
    readonly held: Readonly<Record<OrderProperty, number>>;
    readonly writes: readonly SeenWrite[];
  }[];
}
export interface RigOptions {
  readonly folder: string;
  readonly values: number;
  readonly mutant: MutantName | null;
  /** for `disk-full`: the agent's data stand on a disk of their own, of this size */
  readonly diskMegabytes: number | null;
  /** for `clock-jump`: the agent's wall clock is one that `setClock` moves */
  readonly hasOwnClock: boolean;
  /** for `duplicate` and `reorder`: `frames` stands in the line */
  readonly hasFrameProxy: boolean;
  readonly random: SimRandom;
}

/**
 * The processes of one run: a plant, a cloud, a proxy for the line, a gateway with its mapper. Each life of the agent
 * writes witness files of its own, so that a line that a kill tears does not spoil the next one.
 */
export class Rig {
  readonly proxy: LinkProxy;
  readonly plant: FaultPlant;
  readonly cloudFolder: string;
  readonly agentFolder: string;
  readonly witnesses: string[] = [];
  readonly syncWitnesses: string[] = [];
  /** what each life printed at its end */
  readonly logs: string[] = [];
  readonly client: Client;
  /** null unless asked for */
  frames: FrameProxy | null = null;
  readonly #options: RigOptions;
  readonly #plantProcess: KillableProcess;
  readonly #reportPort: number;
  readonly #ports: { readonly port: string; readonly localPort: string };
  #cloud: KillableProcess;
  #agent: KillableProcess | null = null;

  private constructor(parts: {
    options: RigOptions;
    proxy: LinkProxy;
    plant: FaultPlant;
    plantProcess: KillableProcess;
    reportPort: number;
    cloud: KillableProcess;
    ports: { port: string; localPort: string };
    client: Client;
  }) {
    this.#options = parts.options;
    this.proxy = parts.proxy;
    this.plant = parts.plant;
    this.#plantProcess = parts.plantProcess;
    this.#reportPort = parts.reportPort;
    this.#cloud = parts.cloud;
    this.#ports = parts.ports;
    this.client = parts.client;
    this.cloudFolder = join(parts.options.folder, "cloud");
    this.agentFolder = join(parts.options.folder, "edge");
  }

  /** Everything runs and readings are being accepted when it resolves. */
  static async start(options: RigOptions): Promise<Rig> {
    mkdirSync(join(options.folder, "witness"), { recursive: true });
    mkdirSync(join(options.folder, "edge"));
    if (options.diskMegabytes !== null) mountDisk(join(options.folder, "edge"), options.diskMegabytes);
    if (options.hasOwnClock) setFakeClock(clockFile(options), 0);
    const plantProcess = new KillableProcess({
      ...{ name: "plant", command: process.execPath },
      args: [plantProgram, "--values", String(options.values)],
    });
    const plantAt = (await plantProcess.start()) as { host: string; port: number; reportPort: number };
    const cloud = cloudProcess(options, { port: String(await freePort()), localPort: String(await freePort()) });
    const first = (await cloud.start()) as {
      address: string;
      localAddress: string;
      login: { user: string; password: string };
    };
    const session = await createClient({ baseUrl: first.localAddress, fetch }).session.login({ body: first.login });
    const proxy = await LinkProxy.listen({ target: { host: "127.0.0.1", port: Number(new URL(first.address).port) } });
    const rig = new Rig({
      ...{ options, proxy, plantProcess, cloud, reportPort: plantAt.reportPort },
      plant: { host: plantAt.host, port: plantAt.port, node, values: options.values },
      ports: { port: new URL(first.address).port, localPort: new URL(first.localAddress).port },
      client: createClient({ baseUrl: first.localAddress, token: session.token ?? "", fetch }),
    });
    await rig.#describe();
    await rig.#join();
    if (options.hasFrameProxy) await rig.#putFrameProxy();
    await rig.startAgent();
    const begun = await until(() => (rig.witnessBytes() > 0 ? true : null), 30_000);
    if (begun === null)
      throw new Error(`The gateway accepted nothing in 30 s: ${rig.#agent?.output.slice(-20).join(" | ")}`);
    return rig;
  }

  get agentRuns(): boolean {
    return this.#agent?.isRunning === true;
  }
  get cloudRuns(): boolean {
    return this.#cloud.isRunning;
  }
  /** of the agent's present life; grows with each append that resolves */
  witnessBytes(): number {
    const path = this.witnesses.at(-1);
    return path === undefined || !existsSync(path) ? 0 : statSync(path).size;
  }

  async startAgent(): Promise<void> {
    const life = this.witnesses.length + 1;
    const witness = join(this.#options.folder, "witness", `accepted-${life}`);
    const syncWitness = join(this.#options.folder, "witness", `synced-${life}`);
    for (const path of [witness, syncWitness]) writeFileSync(path, "");
    this.witnesses.push(witness);
    this.syncWitnesses.push(syncWitness);
    const files = ["--witness", witness, "--sync-witness", syncWitness];
    this.#agent = new KillableProcess({
      ...{ name: "gateway", command: process.execPath, readyMs: 40_000 },
      args: [cli, "edge", "--data-dir", this.agentFolder, "--mqtt-port", "0", ...files, ...common],
      env: { ...mutantOf(this.#options), ...(this.#options.hasOwnClock ? fakeClockEnv(clockFile(this.#options)) : {}) },
    });
    await this.#agent.start();
  }

  /** SIGKILL to the agent; its mapper ends with it. @returns false when it was not running */
  async killAgent(): Promise<boolean> {
    return this.#kill(this.#agent);
  }

  async startCloud(): Promise<void> {
    this.#cloud = cloudProcess(this.#options, this.#ports);
    await this.#cloud.start();
  }

  async killCloud(): Promise<boolean> {
    return this.#kill(this.#cloud);
  }

  /** the process that runs the mapper; null while there is none */
  mapperPid(): number | null {
    const agent = this.#agent?.pid ?? null;
    if (agent === null) return null;
    try {
      const children = readFileSync(`/proc/${agent}/task/${agent}/children`, "utf8").trim().split(" ").filter(Boolean);
      return (
        children.map(Number).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("mapper-host")) ?? null
      );
    } catch {
      return null;
    }
  }

  /** The agent's wall clock from now on, against the machine's. @returns whether the agent goes by it */
  setClock(offsetS: number): boolean {
    setFakeClock(clockFile(this.#options), offsetS);
    const pid = this.#agent?.pid ?? null;
    return pid !== null && readFileSync(`/proc/${pid}/maps`, "utf8").includes("faketime");
  }

  async report(): Promise<PlantReport> {
    return (await (await fetch(`http://127.0.0.1:${this.#reportPort}/`)).json()) as PlantReport;
  }

  /** Nothing is collected any more, while devices and their twins stay as they are. */
  async stopCollecting(): Promise<void> {
    await this.#apply(86_400_000);
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.stop(15_000);
    this.#keepLog(this.#agent);
    this.#agent = null;
  }

  async close(): Promise<void> {
    await this.stopAgent();
    await this.#cloud.stop(15_000);
    this.#keepLog(this.#cloud);
    await this.#plantProcess.kill();
    await this.frames?.close();
    await this.proxy.close();
    if (this.#options.diskMegabytes !== null) unmountDisk(this.agentFolder);
  }

  async #kill(victim: KillableProcess | null): Promise<boolean> {
    if (victim === null || !victim.isRunning) return false;
    const end = await victim.kill();
    this.#keepLog(victim);
    return end?.signal === "SIGKILL";
  }

  #keepLog(of: KillableProcess | null): void {
    if (of !== null) this.logs.push(`── ${of.name}`, ...of.output);
  }

  async #describe(): Promise<void> {
    await this.client.nodes.put({
      params: { tenant, name: node },
      body: { metadata: { name: node }, spec: {} },
      create: true,
    });
    await this.#apply(1000);
  }

  async #apply(everyMs: number): Promise<void> {
    for (const document of faultDevices(this.plant, everyMs)) {
      const params = { tenant, name: document.metadata.name };
      const kind = document.kind === "Connection" ? this.client.connections : this.client.devices;
      // The two kinds' verbs differ in the spec alone, which the server checks.
      const verbs = kind as unknown as {
        get(input: object): Promise<{ metadata: { resourceVersion: string } }>;
        put(input: object): Promise<unknown>;
      };
      const held = await verbs.get({ params }).catch(() => null);
      const condition = held === null ? { create: true } : { ifMatch: held.metadata.resourceVersion };
      await verbs.put({ params, body: document, ...condition });
    }
  }

  async #join(): Promise<void> {
    const { token } = await this.client.joinTokens.create({
      params: { tenant },
      body: { node, ttl: "10m" },
      idempotencyKey: randomUUID(),
    });
    const { joinCloud } = await import("@penstock/edge");
    await joinCloud({ dataDir: this.agentFolder, cloud: `https://127.0.0.1:${this.proxy.port}`, token });
  }

  async #putFrameProxy(): Promise<void> {
    const pem = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
    const authority = join(this.cloudFolder, "authority");
    this.frames = await FrameProxy.listen({
      target: this.proxy.target,
      server: { keyPem: pem(authority, "server.key"), chainPem: pem(authority, "server.crt") },
      node: { keyPem: pem(this.agentFolder, "node.key"), certificatePem: pem(this.agentFolder, "node.crt") },
      trustBundlePem: pem(this.agentFolder, "trust.pem"),
      random: this.#options.random,
    });
    this.proxy.target = { host: "127.0.0.1", port: this.frames.port };
  }
}

function clockFile(options: RigOptions): string {
  return join(options.folder, "clock");
}

const common = ["--log-level", "info", "--until-stdin-ends", "-o", "json"];

function cloudProcess(
  options: RigOptions,
  ports: { readonly port: string; readonly localPort: string },
): KillableProcess {
  const data = ["--data-dir", join(options.folder, "cloud"), "--host", "127.0.0.1"];
  return new KillableProcess({
    ...{ name: "cloud", command: process.execPath, readyMs: 40_000, env: mutantOf(options) },
    args: [cli, "cloud", ...data, "--port", ports.port, "--local-port", ports.localPort, ...common],
  });
}

function mutantOf(options: RigOptions): Record<string, string> {
  return options.mutant === null ? {} : mutantEnv(options.mutant);
}
