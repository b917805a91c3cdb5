import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import type { Command } from "commander";
import { type ContextFlags, connect } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { installedPaths } from "../installed-paths.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";

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
    .option("-o, --output <format>", "json or yaml")
    .action(async (flags: { dataDir: string; output?: string }, command: Command) => {
      const findings = [
        ...checkMachine(resolve(flags.dataDir)),
        ...(await Promise.all([8443, 8080, 1883].map(checkPort))),
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
      detail: `${(free / 2 ** 30).toFixed(1)} GiB free for ${dataDir}`,
    });
  } catch (error) {
    findings.push({
      what: "data folder",
      ok: false,
      detail: `${dataDir}: ${(error as Error).message}; choose another with --data-dir`,
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
function checkPort(port: number): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve({ what: `port ${port}`, ok: true, detail: `taken (${error.code}), by Penstock or another program` }),
    );
    server.listen({ port, host: "127.0.0.1" }, () =>
      server.close(() => resolve({ what: `port ${port}`, ok: true, detail: "free" })),
    );
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
    findings.push({ what: "login", ok: true, detail: `${session.user} until ${session.expiresAt}` });
    for (const node of (await client.nodes.list({ params: { tenant: context.tenant } })).items) {
      const { connected, joined, lastSeenAt, outbox } = node.status;
      const waiting = outbox === null ? "" : `, ${outbox.readings} readings wait, ${outbox.dropped} dropped`;
      findings.push({
        what: `node ${node.metadata.name}`,
        ok: connected && outbox?.full !== true,
        detail: `${connected ? "connected" : joined ? `away since ${lastSeenAt ?? "its start"}` : "has not joined"}${waiting}`,
      });
    }
    return findings;
  } catch (error) {
    return [{ what: "cloud", ok: false, detail: error instanceof Error ? error.message : String(error) }];
  }
}
