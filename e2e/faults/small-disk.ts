import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";

/** @returns why this machine cannot give a run a small disk; null when it can */
export function whyNoSmallDisk(): string | null {
  const isRootOnLinux = process.platform === "linux" && process.getuid?.() === 0;
  return isRootOnLinux ? null : "mounting a small tmpfs takes root on Linux";
}

/** @throws Error with what mount said */
export function mountDisk(folder: string, megabytes: number): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "penstock", folder]);
  if (status !== 0) throw new Error(`Cannot mount a tmpfs at "${folder}": ${String(stderr)}`);
}

export function unmountDisk(folder: string): void {
  // Lazily: a process that is just ending may still hold a file.
  spawnSync("umount", ["-l", folder]);
}

/** Appends to the file until the disk is full. @returns bytes written */
export function fillUp(path: string): number {
  const file = openSync(path, "a");
  let written = 0;
  try {
    // Smaller and smaller pieces, until not even a byte fits.
    for (let size = 1_048_576; size >= 1; ) {
      try {
        written += writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        size = Math.floor(size / 16);
      }
    }
  } finally {
    closeSync(file);
  }
  return written;
}
