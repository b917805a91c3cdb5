import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import type { MapperManifest } from "@penstock/model";

/** Tells every mapper that a module exports, by the mark that `defineMapper` leaves. */
const teller = `
const module = await import(process.argv[1]);
const isMapper = (one) => typeof one === "object" && one !== null && Symbol.for("penstock.mapper") in one;
const told = JSON.stringify(Object.values(module).filter(isMapper).map((one) => one.manifest));
process.stdout.write("\\n" + told, () => process.exit(0));
`;
const patienceMs = 30_000;

/** What a program of ours printed, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node, as gateways have it, with these arguments in a folder; killed when it takes longer than `patienceMs`. */
export function runNode(args: readonly string[], options: { folder: string; patienceMs: number }): Promise<Ran> {
  // Node's test runner tells its children that they are tests; what is started here stands alone.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [...args], {
    ...{ cwd: options.folder, env, timeout: options.patienceMs, killSignal: "SIGKILL" as const },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Loads a module in a process of its own, so that whatever it does harms nobody. @returns its mappers, or why there are none */
export async function mappersOf(
  path: string,
  folder: string,
): Promise<{ readonly mappers: readonly MapperManifest[] } | { readonly problem: string }> {
  const args = ["--input-type=module", "--eval", teller, pathToFileURL(path).href];
  const { code, stdout, stderr } = await runNode(args, { folder, patienceMs });
  if (code === null) return { problem: `did not load within ${patienceMs / 1000} s` };
  if (code !== 0) return { problem: firstError(stderr) ?? `ended with ${code} while it was loaded` };
  return { mappers: JSON.parse(stdout.slice(stdout.lastIndexOf("\n"))) as MapperManifest[] };
}

function firstError(stderr: string): string | null {
  return (
    stderr
      .split("\n")
      .find((line) => /^(\w*Error\b|\s*\w*Error \[)/.test(line))
      ?.trim() ?? null
  );
}
