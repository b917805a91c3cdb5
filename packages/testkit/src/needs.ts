import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian's Python: the one that python3-… packages install into, whatever else is first on the path. */
export const systemPython = "/usr/bin/python3";

/** programs and libraries that tests use as counterparts but cannot bring themselves, by the Debian package they come in */
const packages = {
  "python3-pymodbus": () => hasPythonModule("pymodbus"),
  mbpoll: () => isOnPath("mbpoll"),
  "mosquitto-clients": () => isOnPath("mosquitto_sub"),
  mosquitto: () => isOnPath("mosquitto") || isExecutable("/usr/sbin/mosquitto"),
  faketime: () => isOnPath("faketime"),
  strace: () => isOnPath("strace"),
  socat: () => isOnPath("socat"),
  openssl: () => isOnPath("openssl"),
  chromium: () => isOnPath("chromium"),
  "libreoffice-calc": () => isOnPath("soffice"),
  "python3-uno": () => hasPythonModule("uno"),
  postgresql: () => isOnPath("psql"),
} as const satisfies Record<string, () => boolean>;
export type Counterpart = keyof typeof packages;

const found = new Map<Counterpart, boolean>();

/**
 * Options for a node:test test that needs a program of somebody else's: `test("…", needs("mbpoll"), async () => …)`.
 *
 * @returns {} when all are there, else a skip that says what to install
 * @throws Error under PENSTOCK_REQUIRE_ALL=1 when one is missing, so that the test's file fails
 */
export function needs(...counterparts: readonly Counterpart[]): { skip?: string } {
  const missing = counterparts.filter((name) => {
    if (!found.has(name)) found.set(name, packages[name]());
    return found.get(name) !== true;
  });
  if (missing.length === 0) return {};
  const names = missing.join(" ");
  const reason = `needs ${names}: apt-get install ${names}`;
  if (process.env.PENSTOCK_REQUIRE_ALL === "1") throw new Error(`A test ${reason}`);
  return { skip: reason };
}

function hasPythonModule(name: string): boolean {
  const code = `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(name)}) is None)`;
  return spawnSync(systemPython, ["-c", code], { stdio: "ignore" }).status === 0;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
