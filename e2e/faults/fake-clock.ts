import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";

/** Where Debian puts it, whatever the architecture. */
function library(): string | null {
  const root = "/usr/lib";
  if (!existsSync(root)) return null;
  const found = readdirSync(root)
    .map((name) => `${root}/${name}/faketime/libfaketimeMT.so.1`)
    .find((path) => existsSync(path));
  return found ?? null;
}

/** @returns why this machine cannot fake a clock; null when it can */
export function whyNoFakeClock(): string | null {
  return library() === null ? "needs faketime: apt-get install faketime" : null;
}

/** Environment for a process whose wall clock the file moves; its monotonic clock stays the machine's. */
export function fakeClockEnv(file: string): Record<string, string> {
  return {
    LD_PRELOAD: library() ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
}

/** Takes the place of the old file at once: a reader never sees half of it. */
export function setFakeClock(file: string, offsetS: number): void {
  const sign = offsetS < 0 ? "-" : "+";
  writeFileSync(`${file}.new`, `${sign}${Math.abs(offsetS)}\n`);
  renameSync(`${file}.new`, file);
}
