import { AppError } from "@penstock/model";
import type { Files } from "./files.ts";
import type { Random } from "./random.ts";
import { keyIdOf, type SecretBox, secretBox } from "./secret-box.ts";
import { writeFile } from "./write-file.ts";

/** Name of the key's file in the data folder, and of the systemd credential. */
export const secretKeyName = "secret.key";
/** Beside it: ids of the keys by which something may be sealed here. No secret, and never needed to open one. */
export const secretIdsName = "secret.ids";

export interface Secrets {
  readonly box: SecretBox;
  /** where the key that seals comes from */
  readonly source: "systemd credential" | "file";
  /** Everything that is kept has been sealed by the first key: older ones may go. */
  onlyFirstKey(): Promise<void>;
}

/**
 * Finds the key of a data folder's secrets: the systemd credential `secret.key` when there is one, and the file `secret.key`
 * of the folder. The file is made at the first start without a credential. Each holds keys of 64 hex digits, one a line; the
 * first of all seals (the credential's before the file's), all open, so that a key can be replaced.
 *
 * @param options.folder       the program's data folder, which is locked
 * @param options.credentials  systemd's $CREDENTIALS_DIRECTORY, if it is set
 * @throws AppError data/key-exposed when others can read the file, or it holds no key; data/key-missing when something is
 *   sealed by a key that is not here; each says what to do
 * @source systemd.exec(5), "Credentials" (systemd 250 or newer)
 */
export async function openSecrets(options: {
  readonly files: Files;
  readonly folder: string;
  readonly credentials: string | undefined;
  readonly random: Random;
}): Promise<Secrets> {
  const { files, folder, credentials, random } = options;
  const path = `${folder}/${secretKeyName}`;
  const credential =
    credentials === undefined || credentials === ""
      ? null
      : await keysIn(files, `${credentials}/${secretKeyName}`, 0o007);
  let own = await keysIn(files, path, 0o077);
  const used = await readIds(files, folder);
  if (credential === null && own === null) {
    if (used.length > 0) throw missing(path, used, []);
    const key = random.bytes(32);
    const bytes = `${Buffer.from(key).toString("hex")}\n`;
    await writeFile({ files, folder, name: secretKeyName, bytes, isSecret: true });
    own = [key];
  }
  const keys = [...(credential ?? []), ...(own ?? [])];
  const ids = new Set(keys.map(keyIdOf));
  if (used.some((id) => !ids.has(id))) throw missing(path, used, [...ids]);
  const box = secretBox(keys, random);
  // Before anything is sealed by it: from now on a start without this key is refused.
  if (!used.includes(box.keyId)) await writeIds(files, folder, [box.keyId, ...used]);
  return {
    box,
    source: credential === null ? "file" : "systemd credential",
    async onlyFirstKey() {
      if (used.some((id) => id !== box.keyId)) await writeIds(files, folder, [box.keyId]);
    },
  };
}

/** null when there is no such file. @param foreign bits of its mode that must not be set */
async function keysIn(files: Files, path: string, foreign: number): Promise<Uint8Array[] | null> {
  if (!(await files.exists(path))) return null;
  const mode = await files.mode(path);
  if ((mode & foreign) !== 0) {
    const text = `Cannot use the key "${path}": others can read it (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`;
    throw new AppError("data/key-exposed", `${text}; chmod 600 it, and replace it if somebody may have read it`);
  }
  const lines = new TextDecoder().decode(await files.readAll(path)).split(/\r?\n/);
  const keys = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (keys.length === 0 || !keys.every((line) => /^[0-9a-fA-F]{64}$/.test(line))) {
    const text = `Cannot use the key "${path}": it must be lines of 64 hex digits`;
    throw new AppError("data/key-exposed", `${text}; bring back the one that was there from a backup`);
  }
  return keys.map((line) => new Uint8Array(Buffer.from(line, "hex")));
}

function missing(path: string, used: readonly string[], here: readonly string[]): AppError {
  const found = here.length === 0 ? "there is none" : `here is ${here.join(", ")}`;
  const what = `Cannot open the stored secrets: they need key ${used.join(", ")}, ${found}`;
  const todo = `bring back "${path}" or the systemd credential ${secretKeyName}`;
  return new AppError(
    "data/key-missing",
    `${what}; ${todo}, or read docs/guides/operate.md on how to go on without it`,
  );
}

async function readIds(files: Files, folder: string): Promise<string[]> {
  const path = `${folder}/${secretIdsName}`;
  if (!(await files.exists(path))) return [];
  const lines = new TextDecoder().decode(await files.readAll(path)).split("\n");
  return lines.filter((line) => line !== "");
}

async function writeIds(files: Files, folder: string, ids: readonly string[]): Promise<void> {
  await writeFile({ files, folder, name: secretIdsName, bytes: `${ids.join("\n")}\n` });
}
