import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";

const portsOfBlock = 50;
const firstPort = 12_000;
const ours: number[] = [];

/**
 * A TCP port for a program that must be told one, or that comes back on its own. It stays this process's to give until
 * the process ends, also while nothing listens there: the system gives ports from `ip_local_port_range` to whoever
 * asks for any, so these lie below it, and a process that gives some away listens on the first of each block of them.
 *
 * @throws Error when every block is in use
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ours.shift();
    if (port === undefined) {
      const first = await holdBlock();
      for (let next = first + 1; next < first + portsOfBlock; next++) ours.push(next);
      continue;
    }
    const probe = await listen(port, undefined);
    if (probe === null) continue;
    await new Promise<void>((done) => probe.close(() => done()));
    return port;
  }
}

async function holdBlock(): Promise<number> {
  const blocks = Math.floor((lowestGivenToAnybody() - firstPort) / portsOfBlock);
  for (let i = 0; i < blocks; i++) {
    const first = firstPort + ((process.pid + i) % blocks) * portsOfBlock;
    const held = await listen(first, "127.0.0.1");
    if (held === null) continue;
    held.unref();
    return first;
  }
  throw new Error(`No free block of ${portsOfBlock} ports from ${firstPort} on`);
}

function lowestGivenToAnybody(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  } catch {
    return 32_768;
  }
}

/** @returns null when somebody has it */
function listen(port: number, host: string | undefined): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((done) => {
    server.once("error", () => done(null));
    server.listen({ port, exclusive: true, ...(host !== undefined && { host }) }, () => done(server));
  });
}
