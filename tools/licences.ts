import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { root } from "./repository.ts";

/** Licences that may stand beside Apache-2.0 in what we ship. */
const allowed = new Set([
  "MIT",
  "MIT-0",
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

/** Named by their own files, where package.json says nothing: name@version, and where it was read. */
const readByHand = new Map([
  // LICENSE of the package.
  ["dequeue@1.0.5", "BSD-2-Clause"],
  // README, "License", and the head of each file of lib/.
  ["precond@0.2.3", "MIT"],
]);

/** `(MIT OR GPL-2.0)` passes when one side of an OR does; AND needs both. @source SPDX 2.3, Annex D */
export function isAllowed(expression: string): boolean {
  const text = expression.replaceAll(/[()]/g, " ").trim();
  return text.split(/\s+OR\s+/).some((side) => side.split(/\s+AND\s+/).every((name) => allowed.has(name.trim())));
}

/** Every package of the lockfile, installed or not, must name an allowed licence. */
export function licenceProblems(): string[] {
  const lock = JSON.parse(readFileSync(resolve(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string; license?: string; link?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, entry]) => {
    if (path === "" || entry.link === true) return [];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const licence = entry.license ?? readByHand.get(`${name}@${entry.version}`);
    if (licence !== undefined && isAllowed(licence)) return [];
    return [`${path}: licence ${licence ?? "not stated"} is not on the list in tools/licences.ts`];
  });
}
