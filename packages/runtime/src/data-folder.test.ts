import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { openDataFolder } from "./data-folder.ts";
import type { Files } from "./files.ts";
import { realFiles } from "./real-files.ts";

const open = (path: string, version = 1, files: Files = realFiles()) =>
  openDataFolder({ files, path, version, program: "edge" });

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(`${tmpdir()}/penstock-`);
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("openDataFolder() makes the folder, states its version, and opens it again", () =>
  inFolder(async (parent) => {
    const path = `${parent}/deep/data`;
    const folder = await open(path);
    assert.equal(folder.isNew, true);
    assert.equal(await readFile(`${path}/VERSION`, "utf8"), "penstock edge 1\n");
    await folder.close();
    const again = await open(path);
    assert.equal(again.isNew, false);
    await again.close();
  }));

test("openDataFolder() refuses a folder in use, by any path to it, and names the process", () =>
  inFolder(async (parent) => {
    const folder = await open(`${parent}/data`);
    await symlink(`${parent}/data`, `${parent}/other`);
    for (const path of [`${parent}/data`, `${parent}/other`]) {
      await assert.rejects(open(path), {
        code: "data/in-use",
        message: new RegExp(`process ${process.pid} uses it; stop`),
      });
    }
    await folder.close();
    await (await open(`${parent}/other`)).close();
  }));

test("the lock of a data folder ends with a process that is killed", () =>
  inFolder(async (path) => {
    const source = `
      import { openDataFolder, realFiles } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
      await openDataFolder({ files: realFiles(), path: process.argv[1], version: 1, program: "edge" });
      console.log("open");
      process.stdin.resume();`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source, path], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await assert.rejects(open(path), { code: "data/in-use", message: new RegExp(`process ${child.pid} `) });
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await open(path)).close();
  }));

test("openDataFolder() refuses a newer version and another program's folder, and changes nothing", () =>
  inFolder(async (path) => {
    await writeFile(`${path}/VERSION`, "penstock edge 7\n");
    await assert.rejects(open(path, 3), {
      code: "data/newer-version",
      message: /version 7, this program knows up to 3/,
    });
    await writeFile(`${path}/VERSION`, "penstock cloud 1\n");
    await assert.rejects(open(path), { message: /belongs to "penstock cloud"/ });
    assert.equal(await readFile(`${path}/VERSION`, "utf8"), "penstock cloud 1\n");
    // A refusal gives the lock back.
    await writeFile(`${path}/VERSION`, "penstock edge 1\n");
    await (await open(path)).close();
  }));

test("openDataFolder() says what to do about a path that cannot be a folder", () =>
  inFolder(async (parent) => {
    await writeFile(`${parent}/file`, "");
    for (const path of [`${parent}/file`, `${parent}/file/data`])
      await assert.rejects(open(path), { code: "data/not-writable", message: /make it writable or name another/ });
  }));

const failing = (operation: "makeFolder" | "openAppend", code: string): Files => ({
  ...realFiles(),
  [operation]: async () => {
    throw Object.assign(new Error(code), { code });
  },
});

test("openDataFolder() says so when this user may not write", () =>
  inFolder(async (path) => {
    const files = failing("makeFolder", "EACCES");
    await assert.rejects(open(path, 1, files), { code: "data/not-writable", message: /this user may not write there/ });
  }));

test("openDataFolder() on a full disk says to free some space", () =>
  inFolder(async (path) => {
    const files = failing("openAppend", "ENOSPC");
    await assert.rejects(open(path, 1, files), {
      code: "data/disk-full",
      message: /its disk is full; free some space/,
    });
  }));
