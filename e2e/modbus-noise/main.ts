/**
 * Noise into the Modbus mapper's client over real transports: `node e2e/modbus-noise/main.ts [--seconds 60]
 * [--transport tcp|rtu|rtu-over-tcp|ascii|all] [--seed N]`. Random bytes, cut frames, wrong units, functions, lengths and
 * checksums, late and doubled answers, closed connections. The last line is the verdict as JSON; exit 1 when anything was
 * found: a crash, a wrong value, a value without a verdict, a caller that hangs, memory that grows.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { type NoiseVerdict, playNoise } from "./play-noise.ts";
import { type NoisyTransport, transports } from "./register-value.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    transport: { type: "string", default: "all" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
const chosen = transports.filter((name) => values.transport === "all" || values.transport === name);
if (!(seconds > 0) || !Number.isSafeInteger(seed) || chosen.length === 0) {
  console.error(`Usage: main.ts [--seconds N] [--seed N] [--transport ${transports.join("|")}|all]`);
  process.exit(2);
}

// As the agent starts mappers: with a large young generation memory would only show how much rubbish fits into it.
const mapperFlags = ["--max-semi-space-size=1", "--max-old-space-size=128"];

/** Each in a process of its own: what one leaks or breaks is not laid to another's charge. */
async function apart(transport: NoisyTransport): Promise<NoiseVerdict> {
  const args = ["--seconds", `${seconds}`, "--seed", `${seed}`, "--transport", transport];
  const child = fork(import.meta.filename, args, {
    execArgv: mapperFlags,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let verdict: NoiseVerdict | null = null;
  child.on("message", (said) => {
    verdict = said as NoiseVerdict;
  });
  const [code] = (await once(child, "exit")) as [number | null];
  const nothing = { reads: 0, writes: 0, good: 0, bad: {}, opened: 0, rssEarlyMb: 0, rssEndMb: 0 };
  return verdict ?? { transport, seconds, seed, ...nothing, findings: [`the process ended with code ${code}`] };
}

if (process.send !== undefined) {
  process.send(await playNoise({ transport: chosen[0]!, seconds, seed }), () => process.disconnect());
} else {
  const verdicts = await Promise.all(chosen.map(apart));
  for (const { transport, reads, good, bad, findings } of verdicts) {
    const badCount = Object.values(bad).reduce((sum, count) => sum + count, 0);
    console.log(`${transport}: ${reads} reads, ${good} values good, ${badCount} bad, ${findings.length} findings`);
  }
  const isSound = verdicts.every(({ findings }) => findings.length === 0);
  console.log(JSON.stringify({ isSound, seconds, seed, verdicts }));
  process.exitCode = isSound ? 0 : 1;
}
