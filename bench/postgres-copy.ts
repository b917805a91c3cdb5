import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, createWriteStream, existsSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readingsOf } from "@penstock/model";
import type { BenchOptions } from "./bench.ts";
import { recordSignals } from "./signal-batches.ts";

const debianFolder = "/usr/lib/postgresql";
const connections = 2;

/**
 * Rows a second that PostgreSQL takes by COPY into one plain table, each COPY a transaction with its sync, from two
 * connections at once. The text is made beforehand: making it costs nothing here.
 */
export async function measureCopy(
  options: BenchOptions & { rowsEachCommit: number },
): Promise<{ readonly rowsPerSecond: number } | { readonly skipped: string }> {
  const bin = programs();
  if (bin === null) return { skipped: "no PostgreSQL on this machine; apt-get install postgresql" };
  const user = process.getuid?.() === 0 ? serverUser() : null;
  if (process.getuid?.() === 0 && user === null)
    return { skipped: "PostgreSQL does not run as root, and there is no user postgres" };
  const folder = join(options.folder, "postgres");
  mkdirSync(folder);
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  if (user !== null) {
    chownSync(options.folder, user.uid, user.gid);
    chownSync(folder, user.uid, user.gid);
  }
  const run = (program: string, ...args: string[]) => {
    const done = spawnSync(join(bin, program), args, { ...as, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    if (done.status !== 0) throw new Error(`${program}: ${String(done.stderr)}`);
  };
  const data = join(folder, "data");
  run("initdb", "-D", data, "-A", "trust", "-U", "bench");
  run("pg_ctl", "-D", data, "-w", "-l", join(folder, "log"), "-o", `-k ${folder} -c listen_addresses=''`, "start");
  try {
    const psql = ["-h", folder, "-U", "bench", "-d", "postgres", "-q", "-v", "ON_ERROR_STOP=1"];
    const table = "CREATE TABLE reading (series int, time bigint, value float8, quality smallint)";
    run("psql", ...psql, "-c", table);
    const commits = options.smoke ? 2 : 100;
    const files: string[] = [];
    for (let i = 0; i < connections; i++) files.push(await writeScript(folder, i, commits, options.rowsEachCommit));
    options.say(`PostgreSQL COPY, ${options.rowsEachCommit} rows in a transaction`);
    const began = performance.now();
    await Promise.all(
      files.map(async (file) => {
        const child = spawn(join(bin, "psql"), psql, { ...as, stdio: [openSync(file, "r"), "ignore", "inherit"] });
        const [code] = await once(child, "exit");
        if (code !== 0) throw new Error(`psql ended with code ${code}`);
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    return { rowsPerSecond: (commits * connections * options.rowsEachCommit) / seconds };
  } finally {
    run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop");
  }
}

function programs(): string | null {
  const versions = existsSync(debianFolder) ? readdirSync(debianFolder).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(debianFolder, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
  return found ?? null;
}

function serverUser(): { uid: number; gid: number } | null {
  const [uid, gid] = ["-u", "-g"].map((flag) => spawnSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : null;
}

/** One file of `commits` COPY commands with their rows. */
async function writeScript(folder: string, number: number, commits: number, rowsEachCommit: number): Promise<string> {
  const path = join(folder, `copy-${number}.sql`);
  const file = createWriteStream(path, { mode: 0o644 });
  const signals = recordSignals({ series: 1000, propertiesPerDevice: 1000, ticks: 20, seed: number + 1 });
  let rows: string[] = [];
  let tick = 0;
  for (let commit = 0; commit < commits; commit++) {
    while (rows.length < rowsEachCommit) {
      const readings = signals.tick(tick++).flatMap(readingsOf);
      rows = rows.concat(
        readings.map(
          (r, i) => `${i}\t${r.time}\t${r.value === null ? "\\N" : Number(r.value)}\t${r.quality === "good" ? 0 : 1}\n`,
        ),
      );
    }
    const text = `COPY reading FROM STDIN;\n${rows.slice(0, rowsEachCommit).join("")}\\.\n`;
    rows = rows.slice(rowsEachCommit);
    if (!file.write(text)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return path;
}
