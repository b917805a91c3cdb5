import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "./context.ts";
import { wholeNumber } from "./numeric-option.ts";

export interface PortQuestion {
  readonly port: number;
  /** what of ours listens there, as far as we know */
  readonly user: string | null;
}

/** Those of the `penstock up` that runs in this data folder, else the usual ones. */
export function portsToCheck(folder: string, given: readonly string[] | undefined): PortQuestion[] {
  const demo = runningDemo(folder);
  const uses = demo === null ? [] : Object.entries(demo.ports);
  const known = uses.map(([what, port]) => ({ port, user: `the running penstock up: ${portWords[what] ?? what}` }));
  if (given !== undefined) {
    const numbers = given.map((text) => wholeNumber("--ports", text, { min: 1, max: 65_535 }));
    return numbers.map((port) => known.find((one) => one.port === port) ?? { port, user: null });
  }
  return known.length > 0 ? known : [8443, 8080, 1883].map((port) => ({ port, user: null }));
}
const portWords: Readonly<Record<string, string>> = { cloud: "gateways", local: "page", mqtt: "MQTT" };

function runningDemo(folder: string): NonNullable<Context["demo"]> | null {
  try {
    const { demo } = JSON.parse(readFileSync(resolve(folder, "context.json"), "utf8")) as Context;
    if (demo === undefined) return null;
    // Signal 0 only asks whether the process is there: one that was killed left its ports in the file.
    process.kill(demo.pid, 0);
    return demo;
  } catch {
    return null;
  }
}
