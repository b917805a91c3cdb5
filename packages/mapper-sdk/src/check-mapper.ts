import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, type MapperManifest, manifestFile } from "@penstock/model";
import type { MapperFinding } from "./check-finding.ts";
import { checkRulesOfManifest, checkWritten } from "./check-manifest.ts";
import { mappersOf } from "./check-module.ts";
import { checkSources } from "./check-sources.ts";
import { checkTests } from "./check-tests.ts";
import { manifestText } from "./define-mapper.ts";
import { linkKit } from "./scaffold.ts";

/** Where a mapper's module stands when no `mapper.json` says it. */
const usualModules = ["./src/index.ts", "./src/index.js", "./index.ts", "./index.js", "./index.mjs"];

/** npm takes away what the folder's package.json does not name. */
const kitLinked: MapperFinding = {
  ...{ level: "note", what: "kit", field: "@penstock/mapper-sdk", value: "linked" },
  rule: "must be found from the folder; was not",
};

export interface CheckOptions {
  readonly folder: string;
  /** where the kit stands, for a folder from which it is not found */
  readonly kit: string;
  /** `mapper.json` is written as the mapper says */
  readonly write?: boolean;
  /** false: no test is run */
  readonly tests?: boolean;
}

/**
 * Says what a mapper's folder lacks before gateways can have it. Runs its code in processes of their own, changes nothing but
 * `mapper.json` when asked to, and the link to the kit when that leads nowhere.
 *
 * @throws AppError input/invalid when there is no such folder
 */
export async function checkMapper(options: CheckOptions): Promise<MapperFinding[]> {
  const folder = resolve(options.folder);
  if (!existsSync(folder)) {
    const fields = [{ field: "folder", value: `"${folder}"`, rule: "must be there" }];
    throw new AppError("input/invalid", `Cannot check "${folder}": there is no such folder`, { fields });
  }
  const linked: MapperFinding[] = (await linkKit(folder, options.kit)) ? [kitLinked] : [];
  const written = await textOf(join(folder, manifestFile));
  const main = mainOf(folder, written);
  const found = await theMapper(folder, main);
  if ("problem" in found)
    return [...linked, { level: "missing", what: "module", field: main, value: found.value, rule: found.problem }];
  const { manifest } = found;
  const findings = [...linked, ...checkRulesOfManifest(manifest)];
  if (manifest.main !== main) {
    const rule = `must be "${main}", where the mapper was found`;
    findings.push({ level: "missing", what: "module", field: "main", value: `"${manifest.main}"`, rule });
  }
  if (findings.every(({ level }) => level !== "missing")) {
    const told = checkWritten(manifest, written);
    if (options.write === true && told.some(({ level }) => level === "missing")) {
      const text = manifestText({ manifest });
      await writeFile(join(folder, manifestFile), text);
      findings.push(...checkWritten(manifest, text), ...told.filter(({ level }) => level === "note"));
    } else findings.push(...told);
  }
  const sources = await checkSources(folder, manifest.permissions);
  const permissions = manifest.permissions.join(", ") || "none";
  if (sources.length === 0)
    sources.push({
      ...{ level: "ok", what: "permissions", field: "permissions", value: permissions },
      rule: "name what its modules import",
    });
  findings.push(...sources);
  if (options.tests !== false) findings.push(...(await checkTests(folder, manifest.name)));
  return findings;
}

async function theMapper(
  folder: string,
  main: string,
): Promise<{ readonly manifest: MapperManifest } | { readonly value: string; readonly problem: string }> {
  const path = join(folder, main);
  if (!existsSync(path)) return { value: "(missing)", problem: "must be there, and export what defineMapper gives" };
  const loaded = await mappersOf(path, folder);
  if ("problem" in loaded) return { value: "does not load", problem: loaded.problem };
  const [manifest, ...others] = loaded.mappers;
  const count = loaded.mappers.length;
  if (manifest === undefined || others.length > 0)
    return { value: `${count} mappers`, problem: "must export one that defineMapper made" };
  return { manifest };
}

function mainOf(folder: string, written: string | null): string {
  const named = /"main": "(\.\/[^"]+)"/.exec(written ?? "")?.[1];
  const places = named === undefined ? usualModules : [named, ...usualModules];
  return places.find((one) => existsSync(join(folder, one))) ?? places[0]!;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
