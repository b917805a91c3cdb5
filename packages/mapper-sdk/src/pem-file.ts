import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@penstock/model";

/** A certificate or key as it stands in a setting, or the name of a file in the mapper's own folder at the gateway. */
export const pemPattern = "^(?:-----BEGIN [A-Z ]+-----\\s|[A-Za-z0-9_][A-Za-z0-9_.-]*$)";

/**
 * @param folder of `OpenContext`; files elsewhere at the gateway are nobody's business here
 * @throws AppError mapper/connect-failed when there is no such file
 */
export async function pemOf(given: string | undefined, folder: string): Promise<string | undefined> {
  if (given === undefined || given.startsWith("-----BEGIN ")) return given;
  try {
    return await readFile(join(folder, given), "utf8");
  } catch (cause) {
    throw new AppError("mapper/connect-failed", `Cannot read "${given}" in the mapper's folder at the gateway`, {
      cause,
    });
  }
}
