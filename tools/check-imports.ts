import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { freeFolders, importTable, type PackageRule } from "./import-table.ts";
import { repositoryFiles, root } from "./repository.ts";

export interface Import {
  readonly specifier: string;
  readonly isLazy: boolean;
  readonly isTypeOnly: boolean;
}

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const dynamic = /\bimport\(\s*"([^"]+)"\s*\)/g;

export function importsOf(source: string): Import[] {
  const found: Import[] = [];
  for (const match of source.matchAll(statement))
    found.push({ specifier: match[2]!, isLazy: false, isTypeOnly: match[1] !== undefined });
  for (const match of source.matchAll(dynamic)) found.push({ specifier: match[1]!, isLazy: true, isTypeOnly: false });
  return found;
}

const packageFolders = Object.keys(importTable).sort((a, b) => b.length - a.length);
const folderOfName = new Map(
  packageFolders.flatMap((folder) => {
    const name = `@penstock/${folder.replace("mappers/", "mapper-")}`;
    const entries = importTable[folder]!.entries ?? [];
    return [name, ...entries.map((entry) => `${name}/${entry}`)].map((specifier) => [specifier, folder]);
  }),
);

/** Tests and what only tests use, by name: `x.test.ts`, `test-x.ts`, `fake-x.ts`, `x-fixture.ts`, folders test/ and testcases/. */
const testFile = /\.test\.tsx?$|\/(test|testcases)\/|\/(test|fake)-[a-z0-9-]+\.ts$|-fixture\.ts$/;

/** @param path relative to packages/ @returns what breaks the table, one sentence each */
export function violations(path: string, source: string): string[] {
  const folder = packageFolders.find((name) => path.startsWith(`${name}/`));
  if (folder === undefined) return [`${path}: no rule for this package in tools/import-table.ts`];
  const rule = importTable[folder]!;
  const isTest = testFile.test(path);
  return importsOf(source).flatMap((found) => {
    const reason = isTest ? null : check(found, path, folder, rule);
    return reason === null ? [] : [`${path}: imports "${found.specifier}": ${reason}`];
  });
}

function check(found: Import, path: string, folder: string, rule: PackageRule): string | null {
  const { specifier } = found;
  if (specifier.startsWith(".")) return checkRelative(found, path, folder, rule);
  if (specifier.startsWith("node:"))
    return rule.noNode === true ? `${folder} does no I/O and knows no node: module` : null;
  const ours = folderOfName.get(specifier);
  if (ours === undefined) {
    if (specifier.startsWith("@penstock/")) return "only the package itself is public, not its files";
    const library = specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0]!;
    return rule.libraries !== undefined && !rule.libraries.includes(library)
      ? `${folder} may use only ${rule.libraries.join(", ")}`
      : null;
  }
  if (rule.lazily?.includes(ours) === true)
    return found.isLazy || found.isTypeOnly ? null : `${folder} loads ${ours} lazily, with await import()`;
  if (!rule.may.includes(ours)) return `${folder} may import ${rule.may.join(", ") || "none of ours"}`;
  const stage = stageOf(path, folder);
  const owners = Object.entries(rule.stageOnly ?? {}).filter(([, packages]) => packages.includes(ours));
  if (stage !== null && owners.length > 0 && !owners.some(([owner]) => owner === stage)) {
    return `only ${owners.map(([owner]) => owner).join(", ")} may import ${ours}`;
  }
  return null;
}

function checkRelative(found: Import, path: string, folder: string, rule: PackageRule): string | null {
  const target = relative(".", resolve(dirname(path), found.specifier));
  if (testFile.test(target)) return "it is for tests only";
  if (!target.startsWith(`${folder}/`)) return `leaves ${folder}; import the package by name`;
  if (rule.staged !== true) return null;
  const from = stageOf(path, folder);
  const to = stageOf(target, folder);
  if (from === null || from === to) return null;
  if (to === null && found.isTypeOnly && rule.sharedTypes?.includes(target.slice(`${folder}/src/`.length)) === true)
    return null;
  return `stage ${from} imports ${to === null ? "the composition" : `stage ${to}`}; what two stages share stands in model`;
}

function stageOf(path: string, folder: string): string | null {
  const parts = path.slice(folder.length + 1).split("/");
  return parts[0] === "src" && parts.length > 2 ? parts[1]! : null;
}

export function checkRepository(): string[] {
  const problems: string[] = [];
  for (const path of repositoryFiles()) {
    if (!/\.tsx?$/.test(path)) continue;
    const source = readFileSync(resolve(root, path), "utf8");
    if (path.startsWith("packages/")) problems.push(...violations(path.slice("packages/".length), source));
    else if (!freeFolders.some((folder) => path.startsWith(`${folder}/`)))
      problems.push(`${path}: stands in no folder of the layout`);
  }
  return problems;
}
