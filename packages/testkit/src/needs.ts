import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { snap7Library, snap7Version } from "./foreign/snap7.ts";
import { systemPython } from "./foreign/system-python.ts";

export { systemPython };

/** programs and libraries that tests use as counterparts but cannot bring themselves, by the Debian package they come in */
const packages = {
  "python3-pymodbus": () => hasPythonModule("pymodbus"),
  "python3-grpcio": () => hasPythonModule("grpc"),
  "python3-grpc-tools": () => hasPythonModule("grpc_tools"),
  "python3-aiosmtpd": () => hasPythonModule("aiosmtpd"),
  "python3-protobuf": () => hasPythonModule("google.protobuf"),
  mbpoll: () => isOnPath("mbpoll"),
  "mosquitto-clients": () => isOnPath("mosquitto_sub"),
  mosquitto: () => isOnPath("mosquitto") || isExecutable("/usr/sbin/mosquitto"),
  dbus: () => isOnPath("dbus-daemon"),
  faketime: () => isOnPath("faketime"),
  strace: () => isOnPath("strace"),
  socat: () => isOnPath("socat"),
  openssl: () => isOnPath("openssl"),
  chromium: () => isOnPath("chromium"),
  "libreoffice-calc": () => isOnPath("soffice"),
  "python3-uno": () => hasPythonModule("uno"),
  postgresql: () => isOnPath("psql"),
  "mariadb-server": () => isOnPath("mariadbd") || isExecutable("/usr/sbin/mariadbd"),
  "redis-server": () => isOnPath("redis-server"),
  "python-snap7": () => snap7Library() !== null,
} as const satisfies Record<string, () => boolean>;
export type Counterpart = keyof typeof packages;

/** what Debian has no package for, and how it is got; apt-get install for everything else */
const otherwise: Readonly<Partial<Record<Counterpart, string>>> = {
  "python-snap7": `pip download python-snap7==${snap7Version} --no-deps, then python3 -m zipfile -e the wheel into ~/.cache/penstock/python-snap7-${snap7Version}`,
};

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
  const packaged = missing.filter((name) => otherwise[name] === undefined);
  const ways = missing.flatMap((name) => otherwise[name] ?? []);
  if (packaged.length > 0) ways.unshift(`apt-get install ${packaged.join(" ")}`);
  const reason = `needs ${names}: ${ways.join("; ")}`;
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
