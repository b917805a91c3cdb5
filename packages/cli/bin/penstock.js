#!/usr/bin/env node
// Runs on any Node from 20 on. Penstock itself wants Node 24: on Linux the workspace brings its own, elsewhere the
// machine's must be new enough.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const wanted = 24;
const home = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const main = [resolve(home, "dist/main.js"), resolve(home, "src/main.ts")].find((path) => existsSync(path));

function ownNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`));
    const program = resolve(folder, "bin/node");
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

if (Number(process.versions.node.split(".")[0]) >= wanted) {
  process.argv[1] = main;
  await import(main);
} else {
  const program = ownNode();
  if (program === null) {
    console.error(
      `Penstock needs Node ${wanted} or newer, and this is Node ${process.versions.node}: install Node ${wanted} from https://nodejs.org and run the command again`,
    );
    process.exit(1);
  }
  const child = spawn(program, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // Ctrl-C reaches the child from the terminal already: a second one would end it the hard way.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
}
