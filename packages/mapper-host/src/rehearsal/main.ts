/**
 * A gateway, played for the tests of one mapper: `main.ts <program of the mapper's process> <path of mapper.json> <folder>`,
 * started with an IPC channel by the kit's conformance suite. It ends, and the mapper's process with it, when the channel
 * does.
 */
import type { RehearsalAnswer, RehearsalMessage } from "@penstock/mapper-sdk";
import { systemChildProcesses } from "@penstock/runtime";
import { PlayedGateway } from "./played-gateway.ts";

const [host, manifest, folder] = process.argv.slice(2);
if (host === undefined || manifest === undefined || folder === undefined || process.send === undefined) {
  process.stderr.write("Usage: main.ts <program> <path of mapper.json> <folder>, with an IPC channel\n");
  process.exit(64);
}
const gateway = new PlayedGateway(() =>
  systemChildProcesses.spawn({ command: process.execPath, args: [host, manifest, folder] }),
);
process.on("message", ({ id, order }: RehearsalMessage) => {
  const tell = (answer: RehearsalAnswer) => {
    if (process.connected) process.send?.(answer);
  };
  gateway.take(order).then(
    (answer) => tell({ id, answer }),
    (error: unknown) => tell({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", async () => {
  await gateway.take({ do: "kill" });
  process.exit(0);
});
