import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Client, createClient } from "@penstock/api";
import { AppError } from "@penstock/model";

/** Where commands go and as whom. Kept 0600, because the token is in it. */
export interface Context {
  readonly server: string;
  readonly token: string;
  readonly tenant: string;
  /** CA of the server, when the system does not know it */
  readonly caPem?: string;
  /** the `penstock up` that runs now and its ports; taken out when it ends */
  readonly demo?: {
    readonly pid: number;
    readonly ports: { readonly cloud: number; readonly local: number; readonly mqtt: number };
  };
}

export interface ContextFlags {
  readonly server?: string;
  readonly tenant?: string;
}

/** What `up` leaves in its data folder, so that a second terminal in the same folder works without a login. */
export const demoContextPath = "penstock-data/context.json";

export function contextPath(): string {
  const base = process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config");
  return join(base, "penstock", "context.json");
}

export function saveContext(path: string, context: Context): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, `${JSON.stringify(context, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

/**
 * In this order: flags, PENSTOCK_SERVER/PENSTOCK_TOKEN/PENSTOCK_TENANT, `penstock up` in this folder, `penstock login`. A
 * remembered login is used for its own server only: another one must not be shown its token.
 */
export function loadContext(flags: ContextFlags): Context {
  const { PENSTOCK_SERVER, PENSTOCK_TOKEN: token, PENSTOCK_TENANT } = process.env;
  const wanted = (flags.server ?? PENSTOCK_SERVER)?.replace(/\/$/, "");
  const saved = [resolve(demoContextPath), contextPath()]
    .filter((path) => existsSync(path))
    .map(read)
    .find(({ server }) => wanted === undefined || server === wanted);
  const server = wanted ?? saved?.server;
  const found = { ...saved, ...(token !== undefined && { token }) };
  if (server === undefined || found.token === undefined) {
    throw new AppError(
      "request/unauthenticated",
      `Not logged in${server === undefined ? "" : ` at ${server}`}: run penstock login --server ${server ?? "https://HOST:PORT"}, or penstock up in this folder`,
    );
  }
  const tenant = flags.tenant ?? PENSTOCK_TENANT ?? saved?.tenant ?? "default";
  return { ...found, server, token: found.token, tenant };
}

function read(path: string): Context {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Context;
  } catch (cause) {
    throw new AppError("input/invalid", `Cannot read "${path}": not JSON; delete it and log in again`, { cause });
  }
}

/** Adds one CA to those of the system for every connection of this process. */
export function trust(caPem: string): void {
  setDefaultCACertificates([...getCACertificates("default"), caPem]);
}

export function connect(flags: ContextFlags): { readonly client: Client; readonly context: Context } {
  const context = loadContext(flags);
  if (context.caPem !== undefined) trust(context.caPem);
  return { context, client: createClient({ baseUrl: context.server, token: context.token, fetch: globalThis.fetch }) };
}
