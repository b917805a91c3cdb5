import { freePort } from "@penstock/testkit";
import { startProgram, testFolder } from "../delivery/fake-server.ts";

/** @param port  one that was its own before; left out: any */
export async function redisServer(port?: number, more: readonly string[] = []) {
  const folder = testFolder();
  const at = port ?? (await freePort());
  const args = ["--port", String(at), "--save", "", "--dir", folder, "--bind", "127.0.0.1", ...more];
  return await startProgram({ command: "redis-server", args, folder, port: at, ready: /Ready to accept/ });
}
