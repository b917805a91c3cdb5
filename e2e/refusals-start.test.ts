import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ErrorCode } from "@penstock/model";
import { cliMain, TestBench } from "./support/penstock.ts";

const bench = new TestBench();
const cleanUp: (() => void)[] = [];
after(async () => {
  for (const undo of cleanUp.reverse()) undo();
  await bench.close();
});

interface Refused {
  readonly exit: number | null;
  readonly code: ErrorCode;
  readonly message: string;
}
const programOf = (program: "cloud" | "edge", folder: string, args: readonly string[] = []) => {
  const ports = program === "cloud" ? ["--port", "0", "--local-port", "0"] : ["--mqtt-port", "0"];
  return bench.process({
    name: program,
    command: process.execPath,
    args: [cliMain, program, "--data-dir", folder, ...ports, ...args, "-o", "json"],
  });
};

/** Starts a program that must not come up, and gives what it said. */
async function refusal(program: "cloud" | "edge", folder: string, args: readonly string[] = []): Promise<Refused> {
  const started = programOf(program, folder, args);
  await assert.rejects(started.start(), /before its first line/);
  const said = started.output.map((line) => JSON.parse(line) as { error?: { code: ErrorCode; message: string } });
  const errors = said.flatMap(({ error }) => (error === undefined ? [] : [error]));
  assert.equal(errors.length, 1, started.output.join("\n"));
  return { exit: started.ends.at(-1)!.code, ...errors[0]! };
}

function assertSays(refused: Refused, code: ErrorCode, ...patterns: readonly RegExp[]): void {
  assert.equal(refused.code, code, refused.message);
  assert.equal(refused.exit, 8, "setup: port, data folder, disk, certificate or version");
  for (const pattern of patterns) assert.match(refused.message, pattern);
}

/** What a folder holds, by path; the lock's file only names the last one who tried. */
function contentOf(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== "LOCK",
  );
  return new Map(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "hex")]),
  );
}

async function occupied(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  cleanUp.push(() => server.close());
  return String((server.address() as AddressInfo).port);
}

describe("a program that cannot start says what to do, with exit code 8, and leaves nothing half made", () => {
  test("cloud: its TLS port or its local port is in use, and the first login is not lost by it", async () => {
    const folder = join(bench.folder, "cloud-ports");
    const port = await occupied();
    const tls = await refusal("cloud", folder, ["--host", "127.0.0.1", "--port", port]);
    assertSays(tls, "port/in-use", new RegExp(`port ${port}`), /stop that program or choose another port/);
    const local = await refusal("cloud", folder, ["--local-port", port]);
    assertSays(local, "port/in-use", new RegExp(`127.0.0.1:${port}`), /choose another with --local-port/);
    const started = programOf("cloud", folder);
    const first = (await started.start()) as { login: { user: string; password: string } | null };
    assert.equal(first.login?.user, "admin", "the login that is shown once");
    await started.stop();
  });

  test("a data folder in use is named with its holder; one of the other program or of a newer version is left alone", async () => {
    const folder = join(bench.folder, "cloud");
    const running = programOf("cloud", folder);
    const { pid } = (await running.start()) as { pid: number };
    assertSays(
      await refusal("cloud", folder),
      "data/in-use",
      new RegExp(`process ${pid} uses it`),
      /stop that one, or name another/,
    );
    await running.stop();
    const before = contentOf(folder);
    assertSays(await refusal("edge", folder), "data/in-use", /belongs to "penstock cloud"/, /--data-dir/);
    assert.deepEqual(contentOf(folder), before);
    for (const program of ["cloud", "edge"] as const) {
      const newer = join(bench.folder, `newer-${program}`);
      mkdirSync(newer);
      writeFileSync(join(newer, "VERSION"), `penstock ${program} 99\n`);
      const refused = await refusal(program, newer);
      assertSays(
        refused,
        "data/newer-version",
        /has version 99, this program knows up to 1/,
        /start the newer Penstock/,
      );
      assert.deepEqual([...contentOf(newer).keys()], [join(newer, "VERSION")]);
    }
  });

  test("a data folder that cannot be a folder, or cannot be written", async () => {
    writeFileSync(join(bench.folder, "file"), "mine");
    const isFile = await refusal("cloud", join(bench.folder, "file"));
    assertSays(isFile, "data/not-writable", /it is a file/, /make it writable or name another/);
    const isBelow = await refusal("edge", join(bench.folder, "file/data"));
    assertSays(isBelow, "data/not-writable", /a part of the path is a file/, /make it writable or name another/);
    assert.equal(readFileSync(join(bench.folder, "file"), "utf8"), "mine");
    // Root writes everywhere but to a file system that is read-only.
    const readOnly = mountTmpfs("read-only", "1m");
    if (readOnly === null) return;
    mkdirSync(join(readOnly, "cloud"));
    execFileSync("mount", ["-o", "remount,ro", readOnly]);
    const refused = await refusal("cloud", join(readOnly, "cloud"));
    assertSays(refused, "data/not-writable", /file system is read-only/, /name another with --data-dir/);
  });

  test("edge: it has not joined, or its MQTT port is in use", async () => {
    const folder = join(bench.folder, "not-joined");
    const notJoined = await refusal("edge", folder);
    assert.equal(notJoined.code, "join/token-invalid");
    assert.equal(notJoined.exit, 4);
    assert.match(notJoined.message, /run penstock edge join --cloud/);
    const cloud = await bench.startCloud({ name: "joining" });
    const edge = await bench.startEdge(cloud, "gw-01");
    await edge.process.stop();
    const identity = () =>
      ["identity.json", "node.key", "node.crt", "trust.pem"].map((name) =>
        readFileSync(join(edge.folder, name), "utf8"),
      );
    const before = identity();
    const port = await occupied();
    const refused = await refusal("edge", edge.folder, ["--mqtt-port", port]);
    assertSays(refused, "port/in-use", new RegExp(`127.0.0.1:${port}`), /stop it, or choose another port/);
    assert.deepEqual(identity(), before);
    await (await bench.startAgent("gw-01")).process.stop();
    await cloud.process.stop();
  });

  // At each of these the disk fills up at another step: version, authority, state store, series store.
  test("a full disk at the first start of a cloud: it starts once there is room, with its first login", async (t) => {
    const disk = mountTmpfs("disk", "4m");
    if (disk === null) return t.skip("needs the right to mount a tmpfs: run as root, or allow user namespaces");
    const folder = join(disk, "cloud");
    for (const left of [0, 16_384, 131_072, 262_144]) {
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(join(disk, "fill"), Buffer.alloc(Math.max(0, bavail * bsize - left)));
      assertSays(await refusal("cloud", folder), "data/disk-full", /disk is full/, /free some space or name another/);
      rmSync(join(disk, "fill"));
    }
    const started = programOf("cloud", folder);
    const first = (await started.start()) as { login: { user: string } | null };
    assert.equal(first.login?.user, "admin");
    await started.stop();
  });
});

/** A small file system of this test's own; null where this user may not mount one. */
function mountTmpfs(name: string, size: string): string | null {
  const folder = join(bench.folder, name);
  mkdirSync(folder);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
  if (mounted.status !== 0) return null;
  cleanUp.push(() => spawnSync("umount", ["-l", folder]));
  return folder;
}
