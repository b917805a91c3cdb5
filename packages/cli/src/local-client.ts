import { existsSync, readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { AppError, errorOfProblem } from "@penstock/model";

export interface LocalAsk {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** below /api/v1/, each part as it is: it is encoded here */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Asks the gateway that runs on a data folder, by the address and the token that it left there.
 *
 * @throws AppError with the gateway's code, message and fields; link/closed when none runs there; request/forbidden
 *   when the folder is another user's
 */
export async function askGateway<T>(dataDir: string, { method, path, query, body }: LocalAsk): Promise<T> {
  const { address, token } = findGateway(dataDir);
  const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
  const url = `${address}/api/v1/${path.map(encodeURIComponent).join("/")}${search}`;
  const text = body === undefined ? null : JSON.stringify(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // Not fetch, which gives up after five minutes: a method may take ten.
    const asking = request(url, {
      method,
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...(text !== null && { "content-type": "application/json" }) },
    });
    asking.once("response", resolve).once("error", (cause) => {
      reject(new AppError("link/closed", `No answer from the gateway at ${address}: ${cause.message}`, { cause }));
    });
    asking.end(text ?? undefined);
  });
  const parts: Buffer[] = [];
  try {
    for await (const part of response) parts.push(part as Buffer);
  } catch (cause) {
    throw new AppError("link/closed", `The gateway at ${address} ended while it answered`, { cause });
  }
  const answer = Buffer.concat(parts).toString();
  if (response.statusCode! < 300) return JSON.parse(answer) as T;
  const strange = `${method} ${url} was answered with ${response.statusCode}, not by Penstock: ${answer.slice(0, 200)}`;
  throw errorOfProblem(answer) ?? new AppError("internal", strange);
}

function findGateway(dataDir: string): { readonly address: string; readonly token: string } {
  const path = (name: string) => join(dataDir, "local-api", name);
  const help = `start it with penstock edge --data-dir ${dataDir}, or name the folder of the one that runs with --data-dir`;
  if (!existsSync(path("address"))) throw new AppError("link/closed", `No gateway runs on "${dataDir}": ${help}`);
  try {
    const [address = "", pid] = readFileSync(path("address"), "utf8").split("\n");
    // Another program may listen there by now, and must not be shown the token.
    if (!isAlive(Number(pid))) throw new AppError("link/closed", `The gateway on "${dataDir}" has ended: ${help}`);
    return { address, token: readFileSync(path("token"), "utf8").trim() };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EACCES") throw cause;
    const text = `Cannot read "${path("token")}": it is for the user alone that the gateway runs as`;
    throw new AppError("request/forbidden", text, { cause });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
