import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { type Finding, nodeFindings } from "../doctor-nodes.ts";
import { type PortQuestion, portsToCheck } from "../doctor-ports.ts";
import { secretFindings } from "../doctor-secrets.ts";
import { exitCodes } from "../exit-codes.ts";
import { installedPaths } from "../installed-paths.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { shownPath } from "../shown-path.ts";
import { timeText } from "../time-cell.ts";

const freeBytesWanted = 512 * 1024 * 1024;

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description(
      "check this machine: Node, data folder, disk, key of secrets, ports, clock, mappers, the cloud and its nodes",
    )
    .option("--data-dir <path>", "data folder to look at", "penstock-data")
    .option("--ports <number...>", "ports to look at, instead of those of the running penstock up, or 8443, 8080, 1883")
    .option("-o, --output <format>", "json or yaml")
    .action(async (flags: { dataDir: string; ports?: string[]; output?: string }, command: Command) => {
      const folder = resolve(flags.dataDir);
      const findings = [
        ...checkMachine(folder),
        ...(await secretFindings(folder)),
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
      findings.push(...nodeFindings(node));
    }
    return findings;
  } catch (error) {
    return [{ what: "cloud", ok: false, detail: error instanceof Error ? error.message : String(error) }];
  }
}
