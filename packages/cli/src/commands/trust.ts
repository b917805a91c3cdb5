import { X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, dnsLabel, invalid } from "@penstock/model";
import type { Command } from "commander";
import { formatOf, print } from "../output.ts";
import { tableText } from "../print-table.ts";
import { shownPath } from "../shown-path.ts";

interface TrustFlags {
  readonly dataDir: string;
  readonly revoke?: boolean;
  readonly file?: string;
  readonly output?: string;
}
type State = "trusted" | "rejected";
interface Known {
  readonly state: State;
  readonly thumbprint: string;
  readonly subject: string;
  readonly validFrom: string;
  readonly validTo: string;
}

const thumbprintShape = /^[0-9a-f]{40}$/;

/** Certificates of devices, in the folder of any mapper that keeps `trusted/` and `rejected/`. */
export function trustCommand(program: Command): void {
  const edge = program.commands.find((command) => command.name() === "edge");
  if (edge === undefined) throw new Error("trust belongs below edge, which is not there yet");
  edge
    .command("trust <mapper> [thumbprint]")
    .description(
      "whom a mapper believes to be its device: lists certificates; with a thumbprint trusts one that was refused; run at the gateway",
    )
    .option("--file <path>", "trust the certificate in this file, PEM or DER, before anybody has shown it")
    .option("--revoke", "trust it no more")
    .option("-o, --output <format>", "json or yaml")
    .action(async (mapper: string, thumbprint: string | undefined, given: TrustFlags, command: Command) => {
      const { dataDir, output } = command.optsWithGlobals() as TrustFlags;
      const folder = folderOf(resolve(dataDir), mapper);
      if (given.file !== undefined) return trustFile(folder, resolve(given.file));
      if (thumbprint !== undefined) return move(folder, thumbprint, given.revoke === true ? "rejected" : "trusted");
      if (given.revoke === true) throw wrong("thumbprint", "(none)", "must be given with --revoke");
      const known = await list(folder);
      print(formatOf(output), known, () => listText(known));
    });
}

function folderOf(dataDir: string, mapper: string): string {
  if (!dnsLabel.test(mapper)) throw wrong("mapper", mapper, "must be the name of a mapper, such as opcua");
  return join(dataDir, "mappers", mapper);
}

async function list(folder: string): Promise<readonly Known[]> {
  const known: Known[] = [];
  for (const state of ["trusted", "rejected"] as const) {
    for (const name of (await readdir(join(folder, state)).catch(() => [])).sort()) {
      const certificate = await certificateIn(join(folder, state, name)).catch(() => null);
      if (certificate !== null) known.push({ state, ...factsOf(certificate) });
    }
  }
  return known;
}

function listText(known: readonly Known[]): string {
  if (known.length === 0) return "No certificate was seen yet, and none is trusted";
  const rows = known.map((one) => [one.state, one.thumbprint, one.subject, one.validTo]);
  return tableText(["state", "thumbprint", "subject", "valid to"], rows);
}

async function move(folder: string, written: string, to: State): Promise<void> {
  // Products show thumbprints in capitals, with colons or blanks.
  const thumbprint = written.replaceAll(/[:\s]/g, "").toLowerCase();
  if (!thumbprintShape.test(thumbprint)) throw wrong("thumbprint", written, "must be 40 hex digits (SHA-1)");
  const from = to === "trusted" ? "rejected" : "trusted";
  const source = await fileOf(folder, from, thumbprint);
  if (source === null) {
    if ((await fileOf(folder, to, thumbprint)) !== null) {
      say(to, thumbprint);
      return;
    }
    const text = `Cannot find certificate ${thumbprint} in "${shownPath(join(folder, from))}": it has not been ${from}`;
    throw new AppError("resource/not-found", text);
  }
  await mkdir(join(folder, to), { recursive: true, mode: 0o700 });
  await rename(source, join(folder, to, `${thumbprint}.pem`));
  say(to, thumbprint);
}

async function trustFile(folder: string, path: string): Promise<void> {
  const certificate = await certificateIn(path).catch((cause: unknown) => {
    throw wrong("--file", path, `must be a certificate: ${cause instanceof Error ? cause.message : String(cause)}`);
  });
  const { thumbprint } = factsOf(certificate);
  const target = join(folder, "trusted", `${thumbprint}.pem`);
  await mkdir(join(folder, "trusted"), { recursive: true, mode: 0o700 });
  await writeFile(`${target}.new`, certificate.toString(), { mode: 0o600 });
  await rename(`${target}.new`, target);
  say("trusted", thumbprint);
}

/** By what is in it: people may have put files there under any name. */
async function fileOf(folder: string, state: State, thumbprint: string): Promise<string | null> {
  for (const name of await readdir(join(folder, state)).catch(() => [])) {
    const path = join(folder, state, name);
    const certificate = await certificateIn(path).catch(() => null);
    if (certificate !== null && factsOf(certificate).thumbprint === thumbprint) return path;
  }
  return null;
}

async function certificateIn(path: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(path));
}

function factsOf(certificate: X509Certificate): Omit<Known, "state"> {
  return {
    thumbprint: certificate.fingerprint.replaceAll(":", "").toLowerCase(),
    subject: certificate.subject.split("\n").join(", "),
    validFrom: new Date(certificate.validFrom).toISOString(),
    validTo: new Date(certificate.validTo).toISOString(),
  };
}

function say(state: State, thumbprint: string): void {
  const then = state === "trusted" ? "the mapper's next attempt finds it" : "sessions that stand are not ended by it";
  console.log(`${thumbprint} is ${state}; ${then}`);
}

function wrong(field: string, value: string, rule: string): AppError {
  return invalid([{ field, value, rule }]);
}
