import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { manifestFile } from "@penstock/model";
import type { Command } from "commander";
import { installedPaths } from "../installed-paths.ts";
import { wholeNumber } from "../numeric-option.ts";

interface DmiFlags {
  readonly edgecoreSock: string;
  readonly socket: string;
  readonly name?: string;
  readonly protocol?: string;
  readonly dataDir: string;
  readonly callsPerSecond: string;
  readonly burst: string;
  readonly untilStdinEnds?: boolean;
}

/** `penstock mapper dmi`: one of our mappers under EdgeCore, or under any other manager that speaks DMI. */
export function mapperDmiCommand(program: Command): void {
  const mapper =
    program.commands.find((command) => command.name() === "mapper") ??
    program.command("mapper").description("mappers: what speaks to devices");
  mapper
    .command("dmi <mapper>")
    .description(
      "run a mapper under KubeEdge's EdgeCore, by its device mapper interface (DMI v1beta1); by its folder, or by the name of one that comes with penstock",
    )
    .option("--edgecore-sock <path>", "socket of the manager", "/etc/kubeedge/dmi.sock")
    .requiredOption("--socket <path>", "socket of the mapper, for the manager to reach it")
    .option("--name <name>", "name to register by; penstock- and the mapper's unless stated")
    .option("--protocol <name>", "protocol of its devices there; the mapper's name unless stated")
    .option("--data-dir <path>", "what the mapper may keep", "penstock-data/dmi-mapper")
    .option("--calls-per-second <number>", "what the manager takes; EdgeCore 1 for all mappers of a node", "1")
    .option("--burst <number>", "calls at once that the manager takes", "90")
    .option("--until-stdin-ends", "end when standard input ends, so that it never outlives the program that started it")
    .action(async (mapper: string, flags: DmiFlags) => {
      const { name = null, protocol = null } = flags;
      const given = {
        ...{ mapper: folderOf(mapper), folder: resolve(flags.dataDir), name, protocol },
        ...{ managerSocket: resolve(flags.edgecoreSock), socket: resolve(flags.socket) },
        callsPerSecond: wholeNumber("--calls-per-second", flags.callsPerSecond, { min: 1, max: 100_000 }),
        burst: wholeNumber("--burst", flags.burst, { min: 1, max: 100_000 }),
      };
      const child = spawn(process.execPath, [installedPaths.mapperDmi, JSON.stringify(given)], {
        stdio: ["pipe", "inherit", "inherit"],
      });
      child.stdin.on("error", () => {});
      if (flags.untilStdinEnds === true) process.stdin.once("end", () => child.stdin.end()).resume();
      // Whoever ends us means the mapper, which then ends in its own order.
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
      const code = await new Promise<number | null>((done) => child.once("exit", done));
      process.stdin.pause();
      if (code !== 0) process.exitCode = code ?? 1;
    });
}

function folderOf(mapper: string): string {
  const own = resolve(mapper);
  const installed = join(installedPaths.mappers, mapper);
  return !existsSync(join(own, manifestFile)) && existsSync(join(installed, manifestFile)) ? installed : own;
}
