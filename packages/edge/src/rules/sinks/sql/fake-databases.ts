import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@penstock/testkit";
import { startProgram, testFolder } from "../delivery/fake-server.ts";

/** PostgreSQL refuses to run as root. */
function userOf(name: string) {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout));
  return { uid: uid!, gid: gid! };
}

/** Everybody is let in; the superuser is "plant". */
export async function postgres() {
  const debian = "/usr/lib/postgresql";
  const [version] = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const bin = join(debian, version!, "bin");
  const folder = testFolder();
  const as = userOf("postgres");
  if (as !== undefined) chownSync(folder, as.uid, as.gid);
  const data = join(folder, "data");
  const made = spawnSync(join(bin, "initdb"), ["-D", data, "-A", "trust", "-U", "plant", "--no-sync", "-E", "UTF8"], {
    ...as,
    cwd: folder,
  });
  assert.equal(made.status, 0, String(made.stderr));
  const port = await freePort();
  const args = ["-D", data, "-p", String(port), "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off"];
  return await startProgram({
    command: join(bin, "postgres"),
    args,
    folder,
    port,
    ready: /ready to accept/,
    ...(as && { as }),
  });
}

/** "root" needs no password. */
export async function mariadb() {
  const folder = testFolder();
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const data = join(folder, "data");
  const made = spawnSync("mariadb-install-db", [
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...user,
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  const port = await freePort();
  const args = [
    "--no-defaults",
    `--datadir=${data}`,
    `--port=${port}`,
    `--socket=${folder}/s`,
    `--pid-file=${folder}/p`,
  ];
  return await startProgram({
    ...{ command: "/usr/sbin/mariadbd", args: [...args, "--bind-address=127.0.0.1", ...user], folder, port },
    ready: /ready for connections/,
  });
}
