import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError } from "@penstock/model";

/**
 * Lets a server of this machine alone listen.
 *
 * @param what    what it is for, such as "the local API"
 * @param option  of the command line, which chooses another port
 * @returns the port; with `port` 0 any free one
 * @throws AppError port/in-use
 */
export async function listenOnLoopback(
  server: Server,
  { port, what, option }: { readonly port: number; readonly what: string; readonly option: string },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EADDRINUSE") throw cause;
    const text = `Cannot listen for ${what} on 127.0.0.1:${port}: another program uses the port; choose another with ${option} (0 = any free one)`;
    throw new AppError("port/in-use", text, { cause });
  });
  server.removeAllListeners("error");
  return (server.address() as AddressInfo).port;
}
