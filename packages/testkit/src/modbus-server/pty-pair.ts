import { spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Two terminals joined by a wire without speed: what is written to one is read at the other. */
export interface PtyPair {
  readonly a: string;
  readonly b: string;
  /** Both ends hang up, as when a serial adapter is pulled out. Resolves when the terminals are gone. */
  close(): Promise<void>;
}

/**
 * Real pseudo-terminals, by socat; a test that uses it says `needs("socat")`.
 *
 * @throws Error with what socat said when it cannot make them
 */
export async function openPtyPair(): Promise<PtyPair> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-pty-"));
  const [a, b] = [join(folder, "a"), join(folder, "b")];
  const end = (path: string) => `pty,rawer,link=${path}`;
  const socat = spawn("socat", ["-d", "-d", end(a), end(b)], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => socat.once("close", () => resolve()));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    socat.once("error", reject);
    socat.once("close", () => reject(new Error(`socat made no terminals: ${said}`)));
    socat.stderr.on("data", (text: Buffer) => {
      said = `${said}${String(text)}`.slice(-4000);
      if (said.includes("starting data transfer loop")) resolve();
    });
  });
  // socat ends when a terminal has no user left; these two are users that never read.
  const held = [a, b].map((path) => openSync(path, constants.O_RDWR | constants.O_NOCTTY));
  return {
    a,
    b,
    close: async () => {
      for (const file of held.splice(0)) closeSync(file);
      socat.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
