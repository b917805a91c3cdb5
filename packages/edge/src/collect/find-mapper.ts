import { AppError, manifestFile, parseManifest } from "@penstock/model";
import type { Files, Log } from "@penstock/runtime";

/**
 * The path of the `mapper.json` with this name, in the folders or one level below; of two, the first found. One that
 * cannot be read is logged and passed over: it must not hide the others.
 *
 * @throws AppError mapper/not-found
 */
export async function findMapper(options: {
  readonly name: string;
  readonly folders: readonly string[];
  readonly files: Files;
  readonly log: Log;
}): Promise<string> {
  const { name, folders, files, log } = options;
  const read = async (path: string): Promise<boolean> => {
    if (!(await files.exists(path))) return false;
    try {
      return parseManifest(new TextDecoder().decode(await files.readAll(path))).name === name;
    } catch (error) {
      log.warn({ path, error }, "Passed over a mapper manifest");
      return false;
    }
  };
  for (const folder of folders) {
    if (await read(`${folder}/${manifestFile}`)) return `${folder}/${manifestFile}`;
    for (const below of (await files.list(folder)).sort()) {
      const path = `${folder}/${below}/${manifestFile}`;
      if (await read(path)) return path;
    }
  }
  throw new AppError("mapper/not-found", `Cannot start mapper "${name}": no ${manifestFile} of that name is installed`);
}
