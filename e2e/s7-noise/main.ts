/**
 * Noise into the S7 mapper's client: `node --max-semi-space-size=1 --max-old-space-size=128 e2e/s7-noise/main.ts
 * [--seconds 60] [--seed N]`, with the flags that the agent starts mappers with. Random bytes, cut packets, other
 * references, functions, items and lengths, late and doubled answers, closed connections. The last line is the verdict as
 * JSON; exit 1 when anything was found: a crash, a wrong value, a value without a verdict, a caller that hangs, memory that
 * grows.
 */
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
const verdict = await playNoise({ seconds, seed });
console.log(JSON.stringify({ isSound: verdict.findings.length === 0, ...verdict }));
process.exitCode = verdict.findings.length === 0 ? 0 : 1;
