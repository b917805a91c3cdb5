import type { AddressInfo, Socket } from "node:net";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { Mangler, type Mangling } from "./frame-proxy-mangle.ts";
import { FrameSplitter } from "./frame-proxy-split.ts";
import type { LinkProxyTarget } from "./link-proxy.ts";
import type { SimRandom } from "./sim-random.ts";

export interface FrameProxyOptions {
  readonly target: LinkProxyTarget;
  /** the cloud's own key and chain: for the gateway we are the cloud */
  readonly server: { readonly keyPem: string; readonly chainPem: string };
  /** the gateway's key and certificate: for the cloud we are the gateway */
  readonly node: { readonly keyPem: string; readonly certificatePem: string };
  /** the CAs that both believe */
  readonly trustBundlePem: string;
  readonly random: SimRandom;
  /** that a frame or message is chosen; default 0.3 */
  readonly chance?: number;
}

/** A frame that waits to be overtaken goes on its own after this long, so that a quiet line does not stop. */
const heldMs = 50;
const alpn = "penstock/1";

/**
 * A proxy that stands inside the encryption, because it holds the keys of both ends, and repeats or swaps whole frames
 * and messages of the link.
 */
export class FrameProxy {
  how: Mangling = "pass";
  /** frames or messages that were repeated or overtaken */
  mangled = 0;
  readonly #options: FrameProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: FrameProxyOptions) {
    this.#options = options;
    const { server, trustBundlePem: ca } = options;
    this.#server = createServer(
      {
        ...{ key: server.keyPem, cert: server.chainPem, ca, requestCert: true, rejectUnauthorized: true },
        ...{ minVersion: "TLSv1.3", ALPNProtocols: [alpn] },
      },
      (client) => this.#accept(client),
    );
    this.#server.on("tlsClientError", () => {});
  }

  static async listen(options: FrameProxyOptions): Promise<FrameProxy> {
    const proxy = new FrameProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return proxy;
  }

  get port(): number {
    // A TCP server that is listening has an AddressInfo; a string is for pipes only.
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: TLSSocket): void {
    const { target, node, trustBundlePem: ca } = this.#options;
    const cloud = connect({
      ...{ ...target, key: node.keyPem, cert: node.certificatePem, ca, ALPNProtocols: [alpn], minVersion: "TLSv1.3" },
      // The names in the certificate are the cloud's, and the target is an address.
      checkServerIdentity: () => undefined,
    });
    for (const [from, to] of [
      [client, cloud],
      [cloud, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      this.#carry(from, to, from === client);
    }
  }

  #carry(from: TLSSocket, to: TLSSocket, isMasked: boolean): void {
    const splitter = new FrameSplitter();
    const { random, chance = 0.3 } = this.#options;
    const mangler = new Mangler({ random, chance, isMasked });
    let late: NodeJS.Timeout | undefined;
    const send = (bytes: Uint8Array) => {
      if (to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once("drain", () => from.resume());
    };
    from.on("data", (chunk: Buffer) => {
      const before = mangler.mangled;
      for (const frame of splitter.push(chunk)) mangler.push(frame, this.how).forEach(send);
      this.mangled += mangler.mangled - before;
      clearTimeout(late);
      late = setTimeout(() => mangler.release().forEach(send), heldMs);
    });
    from.on("close", () => clearTimeout(late));
  }
}
