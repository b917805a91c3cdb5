import { type IncomingMessage, type RequestListener, STATUS_CODES } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { AppError, limits } from "@penstock/model";
import type { Clock, Log, Metrics } from "@penstock/runtime";
import { linkAlpn, linkPath, type Transport, webSocketTransport } from "@penstock/wire";
import { WebSocketServer } from "ws";
import { helloBytesBound, parseClientHello } from "./client-hello.ts";
import { nodeIdentity } from "./node-tls.ts";
import type { Peer } from "./run-session.ts";

export interface OnePortOptions {
  /** 0 = any free one */
  readonly port: number;
  /** default "::", which takes IPv4 as well; where the machine has no IPv6, "0.0.0.0" */
  readonly host?: string;
  /** the server's key and its chain, PEM */
  readonly keyPem: string;
  readonly chainPem: string;
  /** CAs whose node certificates are believed, PEM */
  readonly trustBundlePem: string;
  /** everything that is not the gateway link */
  readonly request: RequestListener;
  /** a gateway with a verified certificate */
  accept(transport: Transport, peer: Peer): void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** how long a client may take for the headers of a request; default 15 s */
  readonly headersTimeoutMs?: number;
}
export interface OnePort {
  readonly port: number;
  /** new connections get the new certificate */
  setCertificate(certificate: { readonly keyPem: string; readonly chainPem: string }): void;
  /** no new connection is taken; those that are there go on until `close` */
  stopListening(): void;
  /** resolves when nothing listens and every connection is gone */
  close(): Promise<void>;
}

/** A client that has not said hello by then wants something else. */
const helloTimeoutMs = 10_000;
const handshakeTimeoutMs = 15_000;
const headersTimeoutMs = 15_000;

/**
 * The one TLS port. The ClientHello decides: ALPN penstock/1 goes to a server that demands a node certificate (TLS 1.3),
 * everything else to the web server, which never asks for one.
 *
 * @throws AppError "port/in-use"
 */
export async function openOnePort(options: OnePortOptions): Promise<OnePort> {
  const { log, clock, metrics } = options;
  const sockets = new Set<Socket>();
  const refused = (why: string) =>
    metrics.counter("penstock_link_connections_refused_total", "Connections to the one port that were refused", {
      why,
    });
  const nodes = nodeServer(options);
  const web = createHttpsServer(
    {
      ...{ key: options.keyPem, cert: options.chainPem, ALPNProtocols: ["http/1.1"], minVersion: "TLSv1.2" },
      ...patience(options),
    },
    options.request,
  );
  watchSlowClients(web);
  web.on("tlsClientError", (error) => log.debug({ reason: error.message }, "Web client's TLS failed"));

  const listener = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const held: Buffer[] = [];
    let heldBytes = 0;
    const cancel = clock.after(helloTimeoutMs, () => {
      refused("no-hello").add();
      socket.destroy();
    });
    socket.on("close", cancel);
    socket.on("data", onData);

    function onData(chunk: Buffer): void {
      held.push(chunk);
      heldBytes += chunk.length;
      const bytes = Buffer.concat(held);
      const hello = parseClientHello(bytes);
      if (hello.state === "more" && heldBytes < helloBytesBound * 2) return;
      cancel();
      socket.off("data", onData);
      if (hello.state === "not-tls") {
        refused("not-tls").add();
        // Whoever typed http:// learns what to type.
        socket.end(plainAnswer(bytes));
        return;
      }
      if (hello.state !== "hello") {
        refused("bad-hello").add();
        socket.destroy();
        return;
      }
      // The TLS server takes the socket over, and first reads what is put back here.
      socket.pause();
      socket.unshift(bytes);
      (hello.alpn.includes(linkAlpn) ? nodes : web).emit("connection", socket);
    }
  });
  await listen(listener, options);
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    setCertificate({ keyPem, chainPem }) {
      web.setSecureContext({ key: keyPem, cert: chainPem, minVersion: "TLSv1.2" });
      nodes.setSecureContext({ ...nodeTls({ ...options, keyPem, chainPem }) });
    },
    stopListening: () => void listener.close(),
    async close() {
      // Stopped before or not, the answer comes when the last connection is gone.
      const closed = listener.listening
        ? new Promise<void>((resolve) => listener.close(() => resolve()))
        : Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
      for (const socket of sockets) socket.destroy();
      for (const server of [web, nodes]) server.close();
      await closed;
    },
  };
}

function patience({ headersTimeoutMs: headersTimeout = headersTimeoutMs }: OnePortOptions) {
  return { handshakeTimeout: handshakeTimeoutMs, headersTimeout, connectionsCheckingInterval: headersTimeout / 3 };
}

/**
 * node:http looks for clients that are too slow from "listening" on, and these servers never listen: connections are handed
 * to them. Without it, one byte now and then would hold a connection for ever.
 */
function watchSlowClients(server: HttpsServer): void {
  server.emit("listening");
}

function nodeTls(options: Pick<OnePortOptions, "keyPem" | "chainPem" | "trustBundlePem">) {
  return {
    key: options.keyPem,
    cert: options.chainPem,
    ca: options.trustBundlePem,
    minVersion: "TLSv1.3" as const,
  };
}

function nodeServer(options: OnePortOptions): HttpsServer {
  const { log, clock } = options;
  const server = createHttpsServer({
    ...nodeTls(options),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: [linkAlpn],
    ...patience(options),
  });
  watchSlowClients(server);
  const upgrades = new WebSocketServer({ noServer: true, maxPayload: limits.frameBytes, perMessageDeflate: false });
  server.on("tlsClientError", (error) => log.info({ reason: error.message }, "Gateway's TLS failed"));
  server.on("request", (_request, response) => {
    response.writeHead(426, { connection: "close" }).end();
  });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // This server speaks TLS only, so the stream is a TLS socket.
    const socket = stream as TLSSocket;
    const remote = `${socket.remoteAddress?.replace(/^::ffff:/, "") ?? "?"}:${socket.remotePort ?? 0}`;
    const certificate = socket.getPeerX509Certificate();
    if (request.url !== linkPath || certificate === undefined || !socket.authorized) {
      const status = request.url === linkPath ? 403 : 404;
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
      return;
    }
    let peer: Peer;
    try {
      peer = nodeIdentity(certificate, remote);
    } catch (error) {
      log.warn({ err: error }, "Gateway refused");
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      options.accept(
        webSocketTransport(webSocket, (delayMs, run) => clock.after(delayMs, run)),
        peer,
      );
    });
  });
  return server;
}

function plainAnswer(bytes: Buffer): string {
  const isHttp = /^[A-Z]{3,7} /.test(bytes.subarray(0, 8).toString("latin1"));
  if (!isHttp) return "";
  const text = "This port speaks TLS only: use https:// instead of http://\n";
  return `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
}

function listen(server: NetServer, options: OnePortOptions): Promise<void> {
  const hosts = options.host === undefined ? ["::", "0.0.0.0"] : [options.host];
  return new Promise((resolve, reject) => {
    const attempt = () => {
      const host = hosts.shift()!;
      server.once("error", (error: NodeJS.ErrnoException) => {
        // A machine without IPv6 has no "::".
        if ((error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL") && hosts.length > 0) attempt();
        else reject(listenError(error, options.port));
      });
      server.listen({ port: options.port, host, ipv6Only: false }, () => {
        server.removeAllListeners("error");
        resolve();
      });
    };
    attempt();
  });
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== "EADDRINUSE") return error;
  return new AppError(
    "port/in-use",
    `Cannot listen on port ${port}: another program uses it; stop that program or choose another port`,
    { cause: error },
  );
}
