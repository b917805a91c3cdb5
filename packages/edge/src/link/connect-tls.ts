import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { AppError } from "@penstock/model";
import type { Clock } from "@penstock/runtime";

export interface ConnectTlsOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** throws unless the other end may be believed; called before a byte is sent to it or taken from it */
  verify(chain: readonly X509Certificate[], problem: string | null): void;
}

const connectTimeoutMs = 15_000;

/**
 * Opens a TLS connection whose other end `verify` believes.
 *
 * @throws AppError "link/closed" when there is no connection, and what `verify` throws
 */
export function connectTls(options: ConnectTlsOptions): Promise<TLSSocket> {
  const { host, port, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({
      host,
      port,
      // Node refuses an IP address as server name. RFC 6066, 3.
      servername: /^[\d.]+$|:/.test(host) ? "" : host,
      ...options.tls,
      // The outcome is in `authorized` and `authorizationError`; `verify` decides, with our own clock.
      rejectUnauthorized: false,
    });
    const cancel = options.clock.after(connectTimeoutMs, () =>
      fail(new AppError("link/closed", `Cannot connect to ${host}:${port}: no answer in ${connectTimeoutMs / 1000} s`)),
    );
    const onAbort = () => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.on("secureConnect", () => {
      try {
        const problem = socket.authorized ? null : problemOf(socket);
        options.verify(chainOf(socket), problem);
      } catch (error) {
        fail(error);
        return;
      }
      done();
      resolve(socket);
    });

    function onError(error: Error): void {
      fail(new AppError("link/closed", `Cannot connect to ${host}:${port}: ${error.message}`, { cause: error }));
    }
    function onClose(): void {
      fail(new AppError("link/closed", `Cannot connect to ${host}:${port}: it closed the connection`));
    }
    function done(): void {
      cancel();
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("close", onClose);
    }
    function fail(error: unknown): void {
      done();
      // A late error of a socket that is given up has nobody to tell.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    }
  });
}

/** Its own certificate first, then what it sent along. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let current: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  const seen = new Set<string>();
  while (current?.raw !== undefined && !seen.has(current.fingerprint256)) {
    seen.add(current.fingerprint256);
    chain.push(new X509Certificate(current.raw));
    current = current.issuerCertificate;
  }
  return chain;
}

/** OpenSSL's code, such as CERT_NOT_YET_VALID; the typings call it an Error. */
function problemOf(socket: TLSSocket): string {
  return String(socket.authorizationError);
}
