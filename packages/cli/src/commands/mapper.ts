import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { MapperFinding } from "@penstock/mapper-sdk";
import { invalid, manifestFile } from "@penstock/model";
import type { Command } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { installedPaths } from "../installed-paths.ts";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { shownPath } from "../shown-path.ts";

const marks: Readonly<Record<MapperFinding["level"], string>> = { ok: "ok", note: "--", missing: "!!" };

/** `penstock mapper new`, `check` and `play`: a mapper of one's own, from an empty folder to a gateway. */
export function mapperCommand(program: Command): void {
  const mapper = program.command("mapper").description("mappers: what speaks to devices");

  mapper
    .command("new <name>")
    .description(
      "make a folder with a mapper that runs: a driver, a device played without hardware, tests, and what to do next",
    )
    .option("--folder <path>", "the folder to make; must not be there. The name, in this folder, unless stated")
    .action(async (name: string, flags: { folder?: string }) => {
      const { checkMapper, scaffoldMapper } = await import("@penstock/mapper-sdk");
      const folder = resolve(flags.folder ?? name);
      const { kit, mapperTemplate: template } = installedPaths;
      const files = await scaffoldMapper({ name, folder, template, kit, taken: installedMappers() });
      await checkMapper({ folder, kit, write: true, tests: false });
      console.log(
        [
          `Mapper "${name}" is made in ${shownPath(folder)}:`,
          ...[...files, manifestFile].sort().map((path) => `  ${path}`),
          `Next: penstock mapper check ${shownPath(folder)}; then what its README.md says`,
        ].join("\n"),
      );
    });

  mapper
    .command("check <folder>")
    .description(
      "say what a mapper's folder lacks: its manifest, kit, permissions, imports, the conformance suite and its tests",
    )
    .option("--write", "write mapper.json as the mapper says")
    .option("--no-tests", "run no tests")
    .option("-o, --output <format>", "json or yaml")
    .action(async (folder: string, flags: { write?: true; tests: boolean; output?: string }) => {
      const { checkMapper } = await import("@penstock/mapper-sdk");
      const { write = false, tests, output } = flags;
      const findings = await checkMapper({ folder: resolve(folder), kit: installedPaths.kit, write, tests });
      print(formatOf(output), findings, () => findingsTable(findings));
      if (findings.some(({ level }) => level === "missing")) process.exitCode = exitCodes.usage.number;
    });

  mapper
    .command("play <folder> [port]")
    .description("run the played device of a mapper's folder, test/device.ts, until Ctrl-C")
    .action(async (folder: string, port: string | undefined) => {
      const device = join(resolve(folder), "test/device.ts");
      if (!existsSync(device)) {
        throw invalid([
          { field: "folder", value: `"${folder}"`, rule: "must have test/device.ts, which plays a device" },
        ]);
      }
      const child = spawn(process.execPath, [device, ...(port === undefined ? [] : [port])], { stdio: "inherit" });
      // Ctrl-C reaches the child from the terminal too: whichever of the two ends it, it was meant to end.
      let isStopping = false;
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => {
          isStopping = true;
          child.kill(signal);
        });
      }
      const code = await new Promise<number | null>((done) => child.once("exit", done));
      if (code !== 0 && !isStopping) process.exitCode = code ?? exitCodes.internal.number;
    });
}

function findingsTable(findings: readonly MapperFinding[]): string {
  const rows = findings.map(({ level, what, field, value, rule }) => [marks[level], what, field, value, rule]);
  return tableText(["", "what", "field", "value", "rule"], rows);
}

/** Folders of mappers that come with Penstock are named as they are. */
function installedMappers(): string[] {
  return readdirSync(installedPaths.mappers).filter((name) =>
    existsSync(join(installedPaths.mappers, name, manifestFile)),
  );
}
