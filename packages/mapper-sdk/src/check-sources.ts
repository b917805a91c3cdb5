import { readdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { MapperFinding } from "./check-finding.ts";

/** What a mapper's process may touch, by what its modules import; the first is asked for, any of them is enough. */
const touches: readonly (readonly [RegExp, ...string[]])[] = [
  [/^node:(net|tls|dgram|dns|https?|http2)(\/|$)/, "network"],
  // A serial port is a file too.
  [/^node:fs(\/|$)/, "files", "serial"],
  [/^node:child_process$/, "processes"],
  [/^(serialport|@serialport\/.*)$/, "serial"],
];
/** What reaches the network without an import of Node's. */
const dials = /\b(dial|fetch)\(/;
const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
const dynamic = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** Modules below a folder, tests and what is installed left out. */
export async function modulesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile() && /\.(ts|js|mjs)$/.test(one.name))
    .map((one) => relative(folder, join(one.parentPath, one.name)))
    .filter((path) => !/(^|[\\/])node_modules[\\/]/.test(path))
    .sort();
}

export const isTestModule = (path: string) => /\.test\.(ts|js|mjs)$|(^|[\\/])tests?[\\/]/.test(path);

/** Holds what a mapper's modules import against its permissions, and against what stands in its folder. */
export async function checkSources(folder: string, permissions: readonly string[]): Promise<MapperFinding[]> {
  const findings: MapperFinding[] = [];
  const named = JSON.stringify(permissions);
  const want = (anyOf: readonly string[], why: string) => {
    if (anyOf.some((one) => permissions.includes(one))) return;
    const rule = `must name "${anyOf[0]}": ${why}`;
    findings.push({ level: "missing", what: "permissions", field: "permissions", value: named, rule });
  };
  for (const path of (await modulesBelow(folder)).filter((one) => !isTestModule(one))) {
    const source = await readFile(join(folder, path), "utf8");
    const [, dialled] = dials.exec(source) ?? [];
    if (dialled !== undefined) want(["network"], `${path} calls ${dialled}()`);
    for (const specifier of importsOf(source)) {
      const touched = touches.find(([pattern]) => pattern.test(specifier));
      const [, ...anyOf] = touched ?? [null];
      if (anyOf.length > 0) want(anyOf, `${path} imports "${specifier}"`);
      const rule = foreign(specifier, { folder, path });
      if (rule !== null)
        findings.push({ level: "missing", what: "imports", field: path, value: `"${specifier}"`, rule });
    }
  }
  return findings;
}

/** Types are gone before a module runs: they touch nothing. */
function importsOf(source: string): Set<string> {
  const found = new Set<string>();
  for (const [, isType, specifier] of source.matchAll(statement)) if (isType === undefined) found.add(specifier!);
  for (const [, specifier] of source.matchAll(dynamic)) found.add(specifier!);
  return found;
}

function foreign(specifier: string, from: { readonly folder: string; readonly path: string }): string | null {
  if (!specifier.startsWith(".")) return null;
  const target = relative(from.folder, resolve(from.folder, from.path, "..", specifier));
  return target.startsWith("..") ? "must stand in the mapper's folder: only that is installed" : null;
}
