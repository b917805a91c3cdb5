import type { RedisClientType } from "@redis/client";
import { saidBy, unreachable } from "../delivery/peer-error.ts";

const connectTimeoutMs = 10_000;
const commandTimeoutMs = 10_000;
/**
 * Answers that are not about what was sent: the server is starting, full, busy, only a copy, or does not let us in yet.
 *
 * @source Redis, docs/reference/protocol-spec: the first word of an error is its kind
 */
const passing =
  /^(LOADING|OOM|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM|UNBLOCKED)\b/;

/** Who is talked to, and as whom. */
export interface RedisAddress {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

/** A connection that does not come back by itself. @throws AppError rules/sink-unreachable */
export async function connectRedis({ url, user, password }: RedisAddress): Promise<RedisClientType> {
  // Loaded when needed: most gateways talk to no such server.
  const { createClient } = (await import("@redis/client")).default;
  const client = createClient({
    ...{ url, disableOfflineQueue: true, commandOptions: { timeout: commandTimeoutMs } },
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
  }) as unknown as RedisClientType;
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw unreachable(`reach ${new URL(url).host}`, saidBy(error), error);
  }
  return client;
}

/** Whether the server has said no to what was sent, and will again. */
export async function isRefusal(error: unknown): Promise<boolean> {
  const { ErrorReply, AbortError, TimeoutError } = (await import("@redis/client")).default;
  if (error instanceof AbortError || error instanceof TimeoutError) return false;
  return error instanceof ErrorReply && !passing.test(error.message);
}
