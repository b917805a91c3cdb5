/**
 * Noise into the OPC UA mapper over a real line: `node e2e/opcua-noise/main.ts [--seconds 60] [--seed N]`. Random bytes, cut
 * chunks, answers to other questions, late, doubled and missing answers, closed connections. The last line is the verdict as
 * JSON; exit 1 when anything was found: a crash, a wrong value, a change that is missing, doubled or swapped, a caller that
 * hangs, memory that grows.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { type NoiseVerdict, playNoise } from "./play-noise.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error("Usage: main.ts [--seconds N] [--seed N]");
  process.exit(2);
}

// As the agent starts mappers: with a large young generation memory would only show how much rubbish fits into it.
const mapperFlags = ["--max-semi-space-size=1", "--max-old-space-size=128"];

if (process.send !== undefined) {
  process.send(await playNoise({ seconds, seed }), () => process.disconnect());
} else {
  const child = fork(import.meta.filename, ["--seconds", `${seconds}`, "--seed", `${seed}`], {
    execArgv: mapperFlags,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let verdict: NoiseVerdict | null = null;
  child.on("message", (said) => {
    verdict = said as NoiseVerdict;
  });
  const [code] = (await once(child, "exit")) as [number | null];
  const said = verdict as NoiseVerdict | null;
  const findings = said?.findings ?? [`the process ended with code ${code}`];
  console.log(JSON.stringify({ isSound: findings.length === 0, seconds, seed, ...said, findings }));
  process.exitCode = findings.length === 0 ? 0 : 1;
}
