import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isMapper, type Mapper, sdkVersion } from "@penstock/mapper-sdk";
import { AppError, type MapperManifest, parseManifest } from "@penstock/model";
import type { Files } from "@penstock/runtime";

/**
 * Loads the mapper that a `mapper.json` describes: the export of its main module that `defineMapper` made.
 *
 * @throws AppError input/too-large, input/invalid for the manifest; mapper/wrong-version when it needs another kit;
 *   mapper/not-found when its module has no such mapper
 */
export async function loadMapper(manifestPath: string, files: Pick<Files, "readAll">): Promise<Mapper> {
  const manifest = parseManifest(new TextDecoder().decode(await files.readAll(manifestPath)));
  checkVersion(manifest);
  const main = resolve(dirname(manifestPath), manifest.main);
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(main).href);
  const mapper = Object.values(module).find((value) => isMapper(value) && value.name === manifest.name);
  if (!isMapper(mapper)) {
    throw new AppError(
      "mapper/not-found",
      `Cannot load mapper "${manifest.name}": "${main}" exports none of that name`,
    );
  }
  return mapper;
}

function checkVersion({ name, sdk }: MapperManifest): void {
  if (sdk.min <= sdkVersion.max && sdk.max >= sdkVersion.min) return;
  const ours = `${sdkVersion.min} to ${sdkVersion.max}`;
  throw new AppError(
    "mapper/wrong-version",
    `Cannot load mapper "${name}": needs kit ${sdk.min} to ${sdk.max}, have ${ours}`,
  );
}
