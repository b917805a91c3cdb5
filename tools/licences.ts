import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { root } from "./repository.ts";

/** Licences that may stand beside Apache-2.0 in what we ship. */
const allowed = new Set([
  "MIT",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "0BSD",
  "Unlicense",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "Python-2.0",
]);

/** `(MIT OR GPL-2.0)` passes when one side of an OR does; AND needs both. @source SPDX 2.3, Annex D */
export function isAllowed(expression: string): boolean {
  const text = expression.replaceAll(/[()]/g, " ").trim();
  return text.split(/\s+OR\s+/).some((side) => side.split(/\s+AND\s+/).every((name) => allowed.has(name.trim())));
}

/** Every package of the lockfile, installed or not, must name an allowed licence. */
export function licenceProblems(): string[] {
  const lock = JSON.parse(readFileSync(resolve(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { license?: string; link?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    path === "" || entry.link === true || (entry.license !== undefined && isAllowed(entry.license))
      ? []
      : [`${path}: licence ${entry.license ?? "not stated"} is not on the list in tools/licences.ts`],
  );
}
