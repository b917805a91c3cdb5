import { AppError, manifestFile } from "@penstock/model";
import type { Files, Log } from "@penstock/runtime";
import { mapperManifests } from "./mapper-manifests.ts";

/**
 * The path of the `mapper.json` with this name, in the folders or one level below; of two, the first found. One that
 * cannot be read is logged and passed over.
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
  const onBroken = (path: string, error: unknown) => log.warn({ path, error }, "Passed over a mapper manifest");
  for await (const { path, manifest } of mapperManifests({ folders, files, onBroken })) {
    if (manifest.name === name) return path;
  }
  throw new AppError("mapper/not-found", `Cannot start mapper "${name}": no ${manifestFile} of that name is installed`);
}
