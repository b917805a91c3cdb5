import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { bundle } from "./bundle.ts";
import { root } from "./repository.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "penstock-bundle-"));
const installed = join(folder, "empty/node_modules/@penstock/cli");
const program = join(installed, "bin/penstock.js");

/**
 * Packs and installs as npm does, in a folder that sees nothing of the workspace. Staged outside it, since a dist folder
 * there would be what other tests start. What npm would fetch is linked from the workspace.
 */
before(async () => {
  const stage = join(folder, "stage");
  cpSync(resolve(root, "packages/cli"), stage, { recursive: true, filter: (path) => !path.endsWith("/dist") });
  await bundle(join(stage, "dist"));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: stage });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, filename), "-C", installed, "--strip-components=1"]);
  for (const name of ["@node-rs", `node-linux-${process.arch}`]) {
    const from = resolve(root, "node_modules", name);
    if (existsSync(from)) symlinkSync(from, join(folder, "empty/node_modules", name));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the packed command holds no source, and says its version from an empty folder", async () => {
  assert.ok(!existsSync(join(installed, "src")));
  const { stdout } = await run(process.execPath, [program, "--version"], { cwd: join(folder, "empty") });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("the packed command brings cloud, gateway and plant up until values arrive", { timeout: 60_000 }, async () => {
  const ports = ["--port", "--local-port", "--mqtt-port", "--plant-port"].flatMap((option) => [option, "0"]);
  const up = spawn(process.execPath, [program, "up", "--data-dir", join(folder, "data"), ...ports, "-o", "json"], {
    cwd: join(folder, "empty"),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  up.stderr.on("data", (text) => {
    errors += String(text);
  });
  const ended = once(up, "exit");
  try {
    const reading = await firstReading(up.stdout);
    assert.equal(reading?.quality, "good", errors);
  } finally {
    up.kill("SIGTERM");
    await ended;
  }
  assert.equal(errors, "");
});

async function firstReading(lines: NodeJS.ReadableStream): Promise<{ readonly quality: string } | null> {
  for await (const line of createInterface({ input: lines })) {
    const said = JSON.parse(line) as { readonly event?: string; readonly quality: string };
    if (said.event === "reading") return said;
  }
  return null;
}
