/**
 * Noise into the clients of MQTT and HTTP devices: `node --max-semi-space-size=1 --max-old-space-size=128
 * e2e/message-noise/main.ts [--protocol mqtt|http] [--seconds 60] [--seed N]`, with the flags that the agent starts mappers
 * with. The last line is the verdict as JSON; exit 1 when anything was found: a crash, a wrong value, a value without a
 * verdict, a caller that hangs, memory that grows.
 */
import { parseArgs } from "node:util";
import { playNoise, protocols } from "./play-noise.ts";

const { values } = parseArgs({
  options: {
    protocol: { type: "string", default: "mqtt" },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
const protocol = protocols.find((name) => name === values.protocol);
if (!(seconds > 0) || !Number.isSafeInteger(seed) || protocol === undefined) {
  console.error(`Usage: main.ts [--protocol ${protocols.join("|")}] [--seconds N] [--seed N]`);
  process.exit(2);
}
const verdict = await playNoise({ protocol, seconds, seed });
console.log(JSON.stringify({ isSound: verdict.findings.length === 0, ...verdict }));
process.exitCode = verdict.findings.length === 0 ? 0 : 1;
