/**
 * Noise into the Bluetooth mapper: `node e2e/ble-noise/main.ts [--seconds 60] [--seed N]`. bluetoothd, on a real bus, answers
 * with wrong types, errors, late or never, sends signals of wrong types, drops devices and is started again; a second bus
 * answers with random bytes. The last line is the verdict as JSON; exit 1 when anything was found: a crash, a wrong value, a
 * value without a verdict, a caller that hangs, memory that grows.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { playNoise } from "./play-noise.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error("Usage: main.ts [--seconds N] [--seed N]");
  process.exit(2);
}

if (process.send !== undefined) {
  process.send(await playNoise({ seconds, seed }), () => process.disconnect());
} else {
  // As the agent starts mappers: with a large young generation memory would only show how much rubbish fits into it.
  const child = fork(import.meta.filename, ["--seconds", `${seconds}`, "--seed", `${seed}`], {
    execArgv: ["--max-semi-space-size=1", "--max-old-space-size=128"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let verdict: { readonly findings: readonly string[] } | null = null;
  child.on("message", (said) => {
    verdict = said as { findings: string[] };
  });
  const [code] = (await once(child, "exit")) as [number | null];
  const told = verdict ?? { findings: [`the process ended with code ${code}`] };
  console.log(JSON.stringify({ isSound: told.findings.length === 0, seconds, seed, ...told }));
  process.exitCode = told.findings.length === 0 ? 0 : 1;
}
