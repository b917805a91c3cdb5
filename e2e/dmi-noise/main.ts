/**
 * Noise into both ends of DMI: `node e2e/dmi-noise/main.ts [--seconds 60] [--seed N] [--end gateway|mapper]`. At the gateway:
 * random bytes, partial HTTP/2, calls that are cut, too long or never end, messages that are none, devices and properties
 * that are not there, values and times that cannot be, and a mapper's socket that answers with the same; beside it an honest
 * mapper. At our Modbus mapper: a manager that does the same at both of its ends. The last line is the verdict as JSON;
 * exit 1 when anything was found: a crash, a wrong value, an acknowledged value that is missing, doubled or swapped, an
 * honest call that was held up, memory that grows, an end that does not come back.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { type GatewayVerdict, playGatewayNoise } from "./play-gateway-noise.ts";
import { type MapperVerdict, playMapperNoise } from "./play-mapper-noise.ts";

const ends = { gateway: playGatewayNoise, mapper: playMapperNoise } as const;
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
    end: { type: "string", default: "" },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
const chosen = Object.keys(ends).filter((end) => values.end === "" || values.end === end) as (keyof typeof ends)[];
if (!(seconds > 0) || !Number.isSafeInteger(seed) || chosen.length === 0) {
  console.error("Usage: main.ts [--seconds N] [--seed N] [--end gateway|mapper]");
  process.exit(2);
}

// As the agent and its mappers are started: with a large young generation memory would only show how much rubbish fits.
const flags = ["--max-semi-space-size=1", "--max-old-space-size=64"];

if (process.send !== undefined) {
  process.send(await ends[chosen[0]!]({ seconds, seed }), () => process.disconnect());
} else {
  const all: Record<string, unknown> = {};
  let isSound = true;
  for (const end of chosen) {
    const child = fork(import.meta.filename, ["--seconds", `${seconds}`, "--seed", `${seed}`, "--end", end], {
      execArgv: flags,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    let verdict: GatewayVerdict | MapperVerdict | null = null;
    child.on("message", (said) => {
      verdict = said as GatewayVerdict | MapperVerdict;
    });
    const [code] = (await once(child, "exit")) as [number | null];
    const said = verdict as GatewayVerdict | MapperVerdict | null;
    const findings = said?.findings ?? [`the process ended with code ${code}`];
    all[end] = { ...said, findings };
    isSound &&= findings.length === 0;
  }
  console.log(JSON.stringify({ isSound, ...all }));
  process.exitCode = isSound ? 0 : 1;
}
