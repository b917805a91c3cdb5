import { AppError, limits } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { linkPath, type Transport } from "@penstock/wire";
import { WebSocket } from "ws";
import { openWebSocket } from "./dial-tls.ts";

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/**
 * Dials without TLS, for tests on one machine; anything but loopback is refused.
 *
 * @throws AppError "input/invalid"
 */
export function dialPlain(options: {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
}): (signal: AbortSignal) => Promise<Transport> {
  const { host, port, clock } = options;
  if (!loopback.has(host))
    throw new AppError("input/invalid", `Invalid host: "${host}": a link without TLS goes to loopback only`);
  const authority = host.includes(":") ? `[${host}]` : host;
  return (signal) =>
    openWebSocket({
      webSocket: new WebSocket(`ws://${authority}:${port}${linkPath}`, {
        perMessageDeflate: false,
        maxPayload: limits.frameBytes,
      }),
      where: `${host}:${port}`,
      clock,
      signal,
    });
}
