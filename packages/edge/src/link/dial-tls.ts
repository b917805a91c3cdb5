import { X509Certificate } from "node:crypto";
import { AppError, limits } from "@penstock/model";
import type { Clock } from "@penstock/runtime";
import { linkAlpn, linkPath, type Transport, webSocketTransport } from "@penstock/wire";
import { WebSocket } from "ws";
import { connectTls } from "./connect-tls.ts";
import { verifyPeer } from "./verify-peer.ts";

export interface DialTlsOptions {
  readonly host: string;
  readonly port: number;
  /** read at every dial, so that a renewed certificate is used at once */
  credentials(): { readonly keyPem: string; readonly certificatePem: string; readonly trustBundlePem: string };
  /** its wall clock never stands below the floor */
  readonly clock: Clock;
}

/** What OpenSSL may hold against a certificate because the machine's clock is behind; everything else stands. */
const clockProblems = new Set(["CERT_NOT_YET_VALID", "CRL_NOT_YET_VALID"]);

/** Dials the cloud: TLS 1.3 with the node's certificate, ALPN penstock/1, then WebSocket without compression. */
export function dialTls(options: DialTlsOptions): (signal: AbortSignal) => Promise<Transport> {
  const { host, port, clock } = options;
  return async (signal) => {
    const { keyPem, certificatePem, trustBundlePem } = options.credentials();
    const trust = certificatesOf(trustBundlePem);
    const socket = await connectTls({
      host,
      port,
      clock,
      signal,
      tls: { key: keyPem, cert: certificatePem, ca: trustBundlePem, ALPNProtocols: [linkAlpn], minVersion: "TLSv1.3" },
      verify(chain, problem) {
        verifyPeer({ chain, trust, host, now: clock.now() });
        if (problem !== null && !clockProblems.has(problem))
          throw new AppError("link/certificate-refused", `Cannot trust "${host}": ${problem}`);
      },
    });
    if (socket.alpnProtocol !== linkAlpn) {
      socket.destroy();
      throw new AppError("link/closed", `Cannot connect to ${host}:${port}: it does not speak ${linkAlpn}`);
    }
    const authority = host.includes(":") ? `[${host}]` : host;
    return openWebSocket({
      // The TLS connection is there already; the scheme only keeps `ws` from making its own.
      webSocket: new WebSocket(`ws://${authority}:${port}${linkPath}`, {
        createConnection: () => socket,
        perMessageDeflate: false,
        maxPayload: limits.frameBytes,
      }),
      where: `${host}:${port}`,
      clock,
      signal,
    });
  };
}

/** Waits until the WebSocket is open. @throws AppError "link/certificate-refused", "link/closed" */
export function openWebSocket(options: {
  webSocket: WebSocket;
  where: string;
  clock: Clock;
  signal: AbortSignal;
}): Promise<Transport> {
  const { webSocket, where, clock, signal } = options;
  return new Promise((resolve, reject) => {
    const cancel = clock.after(openTimeoutMs, () => fail(closed("no answer in time")));
    const onAbort = () => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    webSocket.on("error", onError);
    webSocket.on("open", () => {
      done();
      resolve(webSocketTransport(webSocket, (delayMs, run) => clock.after(delayMs, run)));
    });
    function onError(error: Error): void {
      // In TLS 1.3 the server's verdict on our certificate comes after the handshake, as an alert.
      const isRefused = /alert (bad )?certificate|certificate required|unknown ca|403/i.test(error.message);
      fail(
        isRefused
          ? new AppError("link/certificate-refused", `Cloud at ${where} refused our certificate: ${error.message}`, {
              cause: error,
            })
          : closed(
              error.message === "socket hang up"
                ? "it ended the connection, as it does when it does not accept our certificate"
                : error.message,
            ),
      );
    }
    function closed(why: string): AppError {
      return new AppError("link/closed", `Cannot connect to ${where}: ${why}`);
    }
    function done(): void {
      cancel();
      signal.removeEventListener("abort", onAbort);
      webSocket.off("error", onError);
    }
    function fail(error: unknown): void {
      done();
      webSocket.on("error", () => {});
      webSocket.terminate();
      reject(error);
    }
  });
}

const openTimeoutMs = 15_000;

/** Every certificate of a PEM text. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
