import { type Files, type Random, writeFile } from "@penstock/runtime";

const tokenText = /^[0-9a-f]{64}$/;

/**
 * The token of the local API: made at the first start and kept since, readable by the gateway's own user alone. Delete the
 * file and start again for another one.
 *
 * @returns 256 random bits as 64 hex digits
 */
export async function keepToken(options: { files: Files; folder: string; random: Random }): Promise<string> {
  const { files, folder, random } = options;
  const path = `${folder}/token`;
  if (await files.exists(path)) {
    const known = new TextDecoder().decode(await files.readAll(path)).trim();
    if (tokenText.test(known)) return known;
  }
  const token = Buffer.from(random.bytes(32)).toString("hex");
  await writeFile({ files, folder, name: "token", bytes: `${token}\n`, isSecret: true });
  return token;
}
