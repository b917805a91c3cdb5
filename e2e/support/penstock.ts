import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Client, createClient } from "@penstock/api";
import { freePort, type KillableOptions, KillableProcess, plantMain } from "@penstock/testkit";

export const root = resolve(import.meta.dirname, "../..");
const bin = join(root, "packages/cli/bin/penstock.js");
/** The program under test: the sources, or the bundle that `npm run ok` makes of them. */
export const cliMain = process.env.PENSTOCK_PROGRAM ?? join(root, "packages/cli/src/main.ts");
// Whole-system tests start many programs; compiling the same files anew took a third of their time.
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules/.cache/compile");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface CloudProcess {
  readonly process: KillableProcess;
  readonly folder: string;
  readonly address: string;
  readonly localAddress: string;
  readonly caHash: string;
  readonly login: { readonly user: string; readonly password: string };
  readonly client: Client;
  readonly token: string;
}
export interface AgentStart {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logPath?: string;
}
export interface EdgeProcess {
  readonly process: KillableProcess;
  readonly folder: string;
  readonly mqttAddress: string;
  readonly localAddress: string;
  /** of eKuiper's REST shape, where it was asked for */
  readonly ekuiperAddress: string | null;
}

/**
 * The programs of one test, in a folder of their own, on free ports. Nothing is shared with the user's home, and nothing
 * outlives the test: call `close()` in `after`.
 */
export class TestBench {
  readonly folder = mkdtempSync(join(tmpdir(), "penstock-e2e-"));
  readonly #processes: KillableProcess[] = [];
  readonly #children: ChildProcess[] = [];
  #environment: Record<string, string> = {};

  /** Runs the command line as a user would. */
  run(
    args: readonly string[],
    options: {
      readonly input?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly viaBin?: boolean;
    } = {},
  ): Promise<Outcome> {
    const child = spawn(process.execPath, [options.viaBin === true ? bin : cliMain, ...args], {
      cwd: this.folder,
      env: {
        ...process.env,
        HOME: this.folder,
        XDG_CONFIG_HOME: join(this.folder, ".config"),
        ...this.#environment,
        ...options.env,
      },
    });
    this.#children.push(child);
    child.stdin.end(options.input ?? "");
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    return new Promise((done) => child.once("close", (code) => done({ code, stdout, stderr })));
  }

  /** As `run`, for JSON answers. @throws Error with what it printed unless it ends with 0 */
  async json<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run([...args, "-o", "json"]);
    if (code !== 0) throw new Error(`penstock ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return JSON.parse(stdout) as T;
  }

  /** @param logPath takes its standard error, of every life; a test that needs more than the newest lines reads it */
  process({ logPath, ...options }: KillableOptions & { readonly logPath?: string | undefined }): KillableProcess {
    const { command, args } = options;
    const logged =
      logPath === undefined
        ? {}
        : { command: "/bin/sh", args: ["-c", 'log=$1; shift; exec "$@" 2>>"$log"', "sh", logPath, command, ...args] };
    const made = new KillableProcess({ cwd: this.folder, ...options, ...logged });
    this.#processes.push(made);
    return made;
  }

  async startPlant(
    args: readonly string[] = [],
  ): Promise<{ readonly process: KillableProcess; readonly host: string; readonly port: number }> {
    const plant = this.process({ name: "plant", command: process.execPath, args: [plantMain, ...args] });
    const first = (await plant.start()) as { host: string; port: number };
    return { process: plant, ...first };
  }

  /** Starts a cloud and logs in. Later commands of `run` go to it. */
  async startCloud(
    options: {
      readonly name?: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly logPath?: string;
    } = {},
  ): Promise<CloudProcess> {
    const folder = join(this.folder, options.name ?? "cloud");
    const cloud = this.process({
      name: "cloud",
      command: process.execPath,
      args: [
        cliMain,
        "cloud",
        "--data-dir",
        folder,
        "--port",
        String(await freePort()),
        "--local-port",
        String(await freePort()),
        "-o",
        "json",
        ...(options.args ?? []),
      ],
      logPath: options.logPath,
      ...(options.env !== undefined && { env: options.env }),
    });
    const first = (await cloud.start()) as {
      address: string;
      localAddress: string;
      caHash: string;
      login: { user: string; password: string };
    };
    const session = await createClient({ baseUrl: first.localAddress, fetch }).session.login({ body: first.login });
    const token = session.token!;
    this.#environment = { PENSTOCK_SERVER: first.localAddress, PENSTOCK_TOKEN: token };
    return {
      process: cloud,
      folder,
      ...first,
      token,
      client: createClient({ baseUrl: first.localAddress, token, fetch }),
    };
  }

  /** Starts a cloud again on its data and its ports. */
  async startCloudAgain(
    cloud: CloudProcess,
    ports: { readonly port: string; readonly localPort: string },
  ): Promise<KillableProcess> {
    const again = this.process({
      name: "cloud",
      command: process.execPath,
      args: [
        cliMain,
        "cloud",
        "--data-dir",
        cloud.folder,
        "--port",
        ports.port,
        "--local-port",
        ports.localPort,
        "-o",
        "json",
      ],
    });
    await again.start();
    return again;
  }

  /** Joins a node with the commands that a user types, and starts its agent. */
  async startEdge(cloud: { readonly address: string }, node: string, options: AgentStart = {}): Promise<EdgeProcess> {
    const folder = join(this.folder, node);
    const token = await this.run(["edge", "token", node]);
    if (token.code !== 0) throw new Error(`edge token: ${token.stderr}`);
    const joined = await this.run(
      ["edge", "join", "--data-dir", folder, "--cloud", cloud.address, "--token", token.stdout.trim()],
      options.env === undefined ? {} : { env: options.env },
    );
    if (joined.code !== 0) throw new Error(`edge join: ${joined.stderr}`);
    return this.startAgent(node, options);
  }

  /** Starts the agent of a node that has joined. */
  async startAgent(node: string, options: AgentStart = {}): Promise<EdgeProcess> {
    const folder = join(this.folder, node);
    const agent = this.process({
      name: node,
      command: process.execPath,
      args: [cliMain, "edge", "--data-dir", folder, "--mqtt-port", "0", "-o", "json", ...(options.args ?? [])],
      logPath: options.logPath,
      ...(options.env !== undefined && { env: options.env }),
    });
    const first = (await agent.start()) as { mqttAddress: string; localAddress: string; ekuiperAddress?: string };
    const { mqttAddress, localAddress, ekuiperAddress = null } = first;
    return { process: agent, folder, mqttAddress, localAddress, ekuiperAddress };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const started of this.#processes.reverse()) if (started.isRunning) await started.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Polls until `look` gives something; the one way in which whole-system tests wait. @throws Error naming what was waited for */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown = null;
  while (performance.now() < deadline) {
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`Waited ${withinMs} ms in vain for ${what}${last === null ? "" : `; last: ${String(last)}`}`);
}
