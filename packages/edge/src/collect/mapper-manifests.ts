import { type MapperManifest, manifestFile, parseManifest } from "@penstock/model";
import type { Files } from "@penstock/runtime";

/** A manifest as it lies on the disk. */
export interface FoundManifest {
  readonly path: string;
  readonly manifest: MapperManifest;
  readonly bytes: Uint8Array;
}

/**
 * The manifests in the folders or one level below, in the order in which the first of a name counts. One that cannot be
 * read is told and passed over: it must not hide the others.
 */
export async function* mapperManifests(options: {
  readonly folders: readonly string[];
  readonly files: Pick<Files, "list" | "exists" | "readAll">;
  onBroken(path: string, error: unknown): void;
}): AsyncGenerator<FoundManifest> {
  const { folders, files, onBroken } = options;
  for (const folder of folders) {
    const below = (await files.list(folder)).sort().map((name) => `${folder}/${name}/${manifestFile}`);
    for (const path of [`${folder}/${manifestFile}`, ...below]) {
      try {
        if (!(await files.exists(path))) continue;
        const bytes = await files.readAll(path);
        yield { path, manifest: parseManifest(new TextDecoder().decode(bytes)), bytes };
      } catch (error) {
        onBroken(path, error);
      }
    }
  }
}
