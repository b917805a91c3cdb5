import type { Files } from "./files.ts";

/**
 * Puts a whole file in place: after a crash at any point the path holds either what it held before or all of `bytes`.
 * `isSecret` gives access to the owner alone, from the first byte on.
 */
export async function writeFile(options: {
  readonly files: Files;
  readonly folder: string;
  readonly name: string;
  readonly bytes: Uint8Array | string;
  readonly isSecret?: boolean;
}): Promise<void> {
  const { files, folder, name } = options;
  const fresh = `${folder}/${name}.new`;
  // One that a crash left behind may have more in it, or more readers.
  if (await files.exists(fresh)) await files.remove(fresh);
  const file = await files.openAppend(fresh, { isSecret: options.isSecret ?? false });
  try {
    await file.append(typeof options.bytes === "string" ? new TextEncoder().encode(options.bytes) : options.bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(fresh, `${folder}/${name}`);
  await files.syncFolder(folder);
}
