import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { createClient } from "@penstock/api";
import { AppError, invalid } from "@penstock/model";
import type { Command } from "commander";
import { contextPath, saveContext, trust } from "../context.ts";
import { fetchServerCa } from "../server-ca.ts";
import { timeText } from "../time-cell.ts";

interface LoginOptions {
  readonly server?: string;
  readonly user: string;
  readonly password?: string;
  readonly tenant?: string;
  readonly caHash?: string;
}

export function loginCommand(program: Command): void {
  program
    .command("login")
    .description(
      "log in to the cloud at --server (https://HOST:PORT, or http://127.0.0.1:PORT on the server itself) and remember it; the password is asked for, or read from PENSTOCK_PASSWORD",
    )
    .option("--user <name>", "login name", "admin")
    .option(
      "--ca-hash <sha256>",
      "SHA-256 of the CA certificate, as the server printed it; needed once when the system does not know the CA",
    )
    .action(async (_options: unknown, command: Command) => {
      // --server is an option of every command; only here it has to be given.
      const options = command.optsWithGlobals() as LoginOptions;
      if (options.server === undefined) {
        const field = {
          field: "--server",
          value: "missing",
          rule: "must be https://HOST:PORT or http://127.0.0.1:PORT",
        };
        throw invalid([field]);
      }
      const server = options.server.replace(/\/$/, "");
      const caPem = await caOf(server, options.caHash);
      if (caPem !== null) trust(caPem);
      const password = process.env.PENSTOCK_PASSWORD ?? (await askSecret(`Password of ${options.user}: `));
      const client = createClient({ baseUrl: server, fetch: globalThis.fetch });
      const session = await client.session.login({ body: { user: options.user, password } });
      if (session.token === null) throw new AppError("internal", "The server gave no token");
      const path = contextPath();
      saveContext(path, {
        server,
        token: session.token,
        tenant: options.tenant ?? "default",
        ...(caPem !== null && { caPem }),
      });
      console.log(`Logged in as ${session.user} until ${timeText(session.expiresAt)}; remembered in ${path}`);
    });
}

async function caOf(server: string, caHash: string | undefined): Promise<string | null> {
  if (!server.startsWith("https://")) return null;
  const { caPem, sha256, isKnown } = await fetchServerCa(server);
  if (isKnown) return null;
  if (caHash === undefined) {
    throw new AppError(
      "link/certificate-refused",
      `The system does not know the CA of ${server}. If ${sha256} is the hash that the server printed, run the command again with --ca-hash ${sha256}`,
    );
  }
  if (caHash.toLowerCase() !== sha256) {
    throw new AppError(
      "join/ca-mismatch",
      `The CA of ${server} is ${sha256}, not ${caHash}: this is another server, or somebody stands between`,
    );
  }
  return caPem;
}

async function askSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    for await (const line of createInterface({ input: process.stdin })) return line;
    throw new AppError("input/invalid", "Invalid password: none given: set PENSTOCK_PASSWORD or type it");
  }
  process.stderr.write(question);
  // What is typed is not echoed.
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: mute, terminal: true });
  try {
    return await reader.question("");
  } finally {
    reader.close();
    process.stderr.write("\n");
  }
}
