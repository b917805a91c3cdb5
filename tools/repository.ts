import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** Tracked and new files, relative to the root, without ignored and deleted ones. */
export function repositoryFiles(): string[] {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return list
    .split("\0")
    .filter((path) => path !== "" && existsSync(resolve(root, path)))
    .sort();
}
