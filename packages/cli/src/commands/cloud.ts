import { resolve } from "node:path";
import type { Command } from "commander";
import { installedPaths } from "../installed-paths.ts";
import { logLevel } from "../log-level.ts";
import { portNumber } from "../numeric-option.ts";
import { formatOf } from "../output.ts";
import { runUntilSignal } from "../run-until-signal.ts";

interface CloudFlags {
  readonly dataDir: string;
  readonly host: string;
  readonly port: string;
  readonly localPort: string;
  readonly hostname: readonly string[];
  readonly mappers: readonly string[];
  readonly logLevel: string;
  readonly mailFrom: string;
  readonly output?: string;
  readonly untilStdinEnds?: boolean;
}

export function cloudCommand(program: Command): void {
  program
    .command("cloud")
    .description("run the cloud server: one TLS port for gateways, programs and people, and a plain one on loopback")
    .option("--data-dir <path>", "where everything is kept", "penstock-data/cloud")
    .option("--host <address>", "address of the TLS port; :: is every IPv4 and IPv6 address", "::")
    .option("--port <number>", "TLS port; 0 = any free one", "8443")
    .option("--local-port <number>", "plain port on loopback for local use; 0 = any free one", "8080")
    .option("--hostname <name...>", "names and addresses by which gateways and people reach this server", [])
    .option("--mappers <folder...>", "further folders with mappers, whose devices can then be checked", [])
    .option(
      "--mail-from <address>",
      "sender of e-mail about alarms; PENSTOCK_SMTP_URL names the server: smtp://user:password@host:587, or smtps://",
      "penstock@localhost",
    )
    .option("--log-level <level>", "trace, debug, info, warn or error", "info")
    .option("--until-stdin-ends", "end when standard input ends, so that it never outlives the program that started it")
    .option("-o, --output <format>", "json: the first line is one object with the addresses and first credentials")
    .action(async (flags: CloudFlags) => {
      const format = formatOf(flags.output);
      const options = {
        dataDir: resolve(flags.dataDir),
        host: flags.host,
        port: portNumber("--port", flags.port),
        localPort: portNumber("--local-port", flags.localPort),
        hostnames: flags.hostname,
        logLevel: logLevel(flags.logLevel),
        mapperFolders: [installedPaths.mappers, ...flags.mappers.map((folder) => resolve(folder))],
        console: installedPaths.console,
        mail:
          process.env.PENSTOCK_SMTP_URL === undefined
            ? null
            : { url: process.env.PENSTOCK_SMTP_URL, from: flags.mailFrom },
      };
      const { startCloud } = await import("@penstock/cloud");
      const cloud = await startCloud(options);
      const { address, localAddress, firstLogin, caHash } = cloud;
      if (format === "text") {
        console.log(`Penstock cloud at ${address}, on this machine also at ${localAddress}`);
        console.log(`CA hash: ${caHash}`);
        if (firstLogin !== null)
          console.log(`First login, shown this once: ${firstLogin.user} / ${firstLogin.password}`);
      } else console.log(JSON.stringify({ address, localAddress, caHash, login: firstLogin, pid: process.pid }));
      await runUntilSignal({ close: () => cloud.close(), untilStdinEnds: flags.untilStdinEnds === true });
    });
}
