import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import type { Command } from "commander";
import { type Context, type ContextFlags, connect } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { installedPaths } from "../installed-paths.ts";
import { wholeNumber } from "../numeric-option.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { shownPath } from "../shown-path.ts";
import { timeText } from "../time-cell.ts";

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

const freeBytesWanted = 512 * 1024 * 1024;

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("check this machine: Node, data folder, disk, ports, clock, mappers, the cloud and its nodes")
    .option("--data-dir <path>", "data folder to look at", "penstock-data")
    .option("--ports <number...>", "ports to look at, instead of those of the running penstock up, or 8443, 8080, 1883")
    .option("-o, --output <format>", "json or yaml")
    .action(async (flags: { dataDir: string; ports?: string[]; output?: string }, command: Command) => {
      const folder = resolve(flags.dataDir);
      const findings = [
        ...checkMachine(folder),
        ...(await Promise.all(portsToCheck(folder, flags.ports).map(checkPort))),
        ...(await checkCloud(command.optsWithGlobals() as ContextFlags)),
      ];
      print(formatOf(flags.output), findings, () =>
        tableText(
          ["", "what", "found"],
          findings.map((f) => [f.ok ? "ok" : "!!", f.what, f.detail]),
        ),
      );
      if (findings.some((finding) => !finding.ok)) process.exitCode = exitCodes.setup.number;
    });
}

function checkMachine(dataDir: string): Finding[] {
  const node = Number(process.versions.node.split(".")[0]);
  const folder = existsSync(dataDir) ? dataDir : resolve(dataDir, "..");
  const year = new Date().getUTCFullYear();
  const findings: Finding[] = [
    { what: "Node", ok: node >= 24, detail: `${process.versions.node}${node >= 24 ? "" : ", 24 or newer is needed"}` },
    {
      what: "clock",
      ok: year >= 2025,
      detail: `${new Date().toISOString()}${year >= 2025 ? "" : ", not set; readings are marked uncertain until the cloud tells the time"}`,
    },
    { what: "mappers", ok: existsSync(installedPaths.mappers), detail: installedPaths.mappers },
  ];
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    findings.push({
      what: "disk",
      ok: free >= freeBytesWanted,
      detail: `${(free / 2 ** 30).toFixed(1)} GiB free for ${shownPath(dataDir)}`,
    });
  } catch (error) {
    findings.push({
      what: "data folder",
      ok: false,
      detail: `${shownPath(dataDir)}: ${(error as Error).message}; choose another with --data-dir`,
    });
  }
  for (const part of ["cloud", "edge"]) {
    const path = resolve(dataDir, part, "VERSION");
    if (existsSync(path))
      findings.push({ what: `${part} data`, ok: true, detail: `format ${readFileSync(path, "utf8").trim()}` });
  }
  return findings;
}

interface PortQuestion {
  readonly port: number;
  /** what of ours listens there, as far as we know */
  readonly user: string | null;
}

/** Those of the `penstock up` that runs in this data folder, else the usual ones. */
function portsToCheck(folder: string, given: readonly string[] | undefined): PortQuestion[] {
  const demo = runningDemo(folder);
  const uses = demo === null ? [] : Object.entries(demo.ports);
  const known = uses.map(([what, port]) => ({ port, user: `the running penstock up: ${portWords[what] ?? what}` }));
  if (given !== undefined) {
    const numbers = given.map((text) => wholeNumber("--ports", text, { min: 1, max: 65_535 }));
    return numbers.map((port) => known.find((one) => one.port === port) ?? { port, user: null });
  }
  return known.length > 0 ? known : [8443, 8080, 1883].map((port) => ({ port, user: null }));
}
const portWords: Readonly<Record<string, string>> = { cloud: "gateways", local: "page", mqtt: "MQTT" };

function runningDemo(folder: string): NonNullable<Context["demo"]> | null {
  try {
    const { demo } = JSON.parse(readFileSync(resolve(folder, "context.json"), "utf8")) as Context;
    if (demo === undefined) return null;
    // Signal 0 only asks whether the process is there: one that was killed left its ports in the file.
    process.kill(demo.pid, 0);
    return demo;
  } catch {
    return null;
  }
}

/** Taken is no fault when it is ours that runs: it is told, not counted. */
function checkPort({ port, user }: PortQuestion): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    const found = (detail: string) => resolve({ what: `port ${port}`, ok: true, detail });
    server.once("error", ({ code }: NodeJS.ErrnoException) =>
      found(user === null ? `taken (${code}), by Penstock or another program` : `used by ${user}`),
    );
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => found("free")));
  });
}

async function checkCloud(flags: ContextFlags): Promise<Finding[]> {
  try {
    const { client, context } = connect(flags);
    const ready = await client.system.ready({});
    const findings: Finding[] = [
      {
        what: "cloud",
        ok: ready.status === "ok",
        detail: `${context.server}: ${ready.status} ${ready.failing.join(", ")}`,
      },
    ];
    const session = await client.session.get({});
    findings.push({ what: "login", ok: true, detail: `${session.user} until ${timeText(session.expiresAt)}` });
    for (const node of (await client.nodes.list({ params: { tenant: context.tenant } })).items) {
      const { connected, joined, lastSeenAt, outbox, counters } = node.status;
      const waiting = outbox === null ? "" : `, ${outbox.readings} readings wait, ${outbox.dropped} dropped`;
      findings.push({
        what: `node ${node.metadata.name}`,
        ok: connected && outbox?.full !== true,
        detail: `${connected ? "connected" : joined ? `away since ${lastSeenAt === null ? "its start" : timeText(lastSeenAt)}` : "has not joined"}${waiting}`,
      });
      for (const [counter, total] of Object.entries(counters)) {
        if (!/_(dropped|refused)_/.test(counter) || total === 0) continue;
        const detail = `${counter} is ${total} since the gateway started; docs/reference/metrics.md says of what`;
        findings.push({ what: `node ${node.metadata.name}`, ok: false, detail });
      }
    }
    return findings;
  } catch (error) {
    return [{ what: "cloud", ok: false, detail: error instanceof Error ? error.message : String(error) }];
  }
}
