/**
 * The process of one mapper: `main.ts <path of mapper.json> <folder of its own>`, started by the agent with a two-way pipe as file
 * descriptor 3. It ends with 0 when the agent says `stop` or is gone. An error that nothing caught ends it with another
 * code and its text on stderr: Node does that by itself, and the agent starts another.
 */
import { mkdir } from "node:fs/promises";
import { Socket } from "node:net";
import { resolve } from "node:path";
import { realFiles, systemClock, systemRandom } from "@penstock/runtime";
import { loadMapper } from "./load-mapper.ts";
import { runMapperHost } from "./run.ts";

const [manifestPath, ownFolder] = process.argv.slice(2);
if (manifestPath === undefined || ownFolder === undefined) {
  process.stderr.write("Usage: main.ts <path of mapper.json> <folder>, with a pipe as file descriptor 3\n");
  process.exit(64);
}
// Ctrl-C and systemd tell the whole group to end. The agent ends first and then this process: a mapper that went before it
// would show up as devices that failed.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
const folder = resolve(ownFolder);
await mkdir(folder, { recursive: true, mode: 0o700 });
const mapper = await loadMapper(resolve(manifestPath), realFiles());
const pipe = new Socket({ fd: 3 });
await runMapperHost({ mapper, pipe, clock: systemClock(), random: systemRandom, pid: process.pid, folder });
// A driver may have left a timer or a socket behind, and nobody needs it any more.
process.exit(0);
