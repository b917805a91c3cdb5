import { mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { dnsLabel, type FieldError, invalid } from "@penstock/model";

/** What the template calls its mapper; never a name of somebody's own. */
const placeholder = "new-mapper";
const kitName = "@penstock/mapper-sdk";

export interface Scaffold {
  /** the protocol's name; a DNS-1123 label */
  readonly name: string;
  /** made; must not be there */
  readonly folder: string;
  /** of the kit: what is copied */
  readonly template: string;
  /** where the kit stands that the mapper imports */
  readonly kit: string;
  /** names of mappers that come with Penstock */
  readonly taken: readonly string[];
}

/**
 * Makes a mapper's folder of its own: a driver, a played device, tests. All or nothing; what is there is never touched.
 *
 * @returns the files, relative to the folder
 * @throws AppError input/invalid with the fields
 */
export async function scaffoldMapper({ name, folder, template, kit, taken }: Scaffold): Promise<string[]> {
  const fields: FieldError[] = [];
  const refuse = (field: string, value: string, rule: string) => fields.push({ field, value: `"${value}"`, rule });
  if (!dnsLabel.test(name))
    refuse("name", name, "must be a DNS-1123 label: a to z, 0 to 9 and - within, at most 63 of them");
  else if (name === placeholder || taken.includes(name))
    refuse("name", name, "must not be the name of a mapper that comes with Penstock");
  if (fields.length > 0) throw invalid(fields);
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw invalid([{ field: "folder", value: `"${folder}"`, rule: "must not be there yet: nothing is overwritten" }]);
  }
  try {
    const files = await templateFiles(template);
    for (const path of files) {
      const text = await readFile(join(template, path), "utf8");
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text.replaceAll(placeholder, name));
    }
    // A .gitignore among the files of a package would be taken for the package's own.
    await writeFile(join(folder, ".gitignore"), "node_modules/\n");
    await linkKit(folder, kit);
    return [".gitignore", ...files].sort();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function templateFiles(template: string): Promise<string[]> {
  const found = await readdir(template, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => relative(template, join(one.parentPath, one.name)));
}

/**
 * Makes the kit resolve from a mapper's folder, as it would if it were installed there; leaves alone what does already.
 *
 * @returns true when a link had to be made
 */
export async function linkKit(folder: string, kit: string): Promise<boolean> {
  const link = join(folder, "node_modules", kitName);
  if (resolves(folder)) return false;
  await mkdir(dirname(link), { recursive: true });
  // What stands there leads nowhere: the clone or the installation that it led to has moved.
  await rm(link, { recursive: true, force: true });
  await symlink(await realpath(kit), link, "junction");
  return true;
}

function resolves(folder: string): boolean {
  try {
    createRequire(join(resolve(folder), "package.json")).resolve(kitName);
    return true;
  } catch {
    return false;
  }
}
