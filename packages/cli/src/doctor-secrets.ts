import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "./doctor-nodes.ts";
import { shownPath } from "./shown-path.ts";

/**
 * Where the key of the stored secrets comes from, for each program whose data the folder or one of its two usual folders is.
 * A systemd credential is seen by its service alone: here it shows in that another key is used than those of the file.
 */
export async function secretFindings(folder: string): Promise<Finding[]> {
  const { keyIdOf, secretIdsName, secretKeyName } = await import("@penstock/runtime");
  const findings: Finding[] = [];
  for (const data of [folder, join(folder, "cloud"), join(folder, "edge")]) {
    if (!existsSync(join(data, secretIdsName))) continue;
    const what = `secrets of ${shownPath(data)}`;
    const path = join(data, secretKeyName);
    const first = readFileSync(join(data, secretIdsName), "utf8").split("\n")[0];
    if (!existsSync(path)) {
      findings.push({ what, ok: true, detail: `key ${first} comes from the systemd credential ${secretKeyName}` });
      continue;
    }
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      const text = `others can read its key: ${shownPath(path)} has mode ${mode.toString(8)}; chmod 600 it`;
      findings.push({ what, ok: false, detail: text });
      continue;
    }
    const keys = readKeys(path);
    if (keys === null) {
      findings.push({ what, ok: true, detail: `${shownPath(path)} is readable by its owner alone, who is not you` });
      continue;
    }
    const isOwn = keys.some((key) => keyIdOf(key) === first);
    const source = isOwn
      ? `the file ${secretKeyName}`
      : `the systemd credential ${secretKeyName}, older ones from the file`;
    findings.push({ what, ok: true, detail: `key ${first} comes from ${source}` });
  }
  return findings;
}

/** null when this user may not */
function readKeys(path: string): Uint8Array[] | null {
  try {
    const lines = readFileSync(path, "utf8").split(/\s+/);
    return lines.map((line) => Buffer.from(line, "hex"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return null;
    throw error;
  }
}
