import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { LinkPipe } from "./link-pipe.ts";

export interface LinkProxyTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * open: bytes pass. cut: connections are reset, new ones too. half-open: bytes vanish, nobody is told, and the
 * connections touched by it stay dead. stalled: bytes wait and pass later. slow: bytes pass at a rate each way.
 */
export type LinkFault =
  | { readonly kind: "open" }
  | { readonly kind: "cut" }
  | { readonly kind: "half-open" }
  | { readonly kind: "stalled" }
  | { readonly kind: "slow"; readonly bytesPerSecond: number };

/**
 * A TCP proxy between a gateway and its cloud that plays the faults of a line, without a kernel's help and without
 * looking into the bytes: TLS passes through unopened. One fault at a time; a new one takes the place of the old.
 */
export class LinkProxy {
  connections = 0;
  /** bytes handed on, whole life of the proxy */
  bytesUp = 0;
  bytesDown = 0;
  /** where connections go; a cloud that comes back on another port is followed by changing it */
  target: LinkProxyTarget;
  /** called at once when bytes have been handed on, for whoever wants to strike in that very moment */
  readonly onPassed = new Set<(way: "up" | "down", bytes: number) => void>();
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #fault: LinkFault = { kind: "open" };

  private constructor(target: LinkProxyTarget) {
    this.target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  static async listen(options: { readonly target: LinkProxyTarget; readonly port?: number }): Promise<LinkProxy> {
    const proxy = new LinkProxy(options.target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(options.port ?? 0, "127.0.0.1", () => resolve());
    });
    return proxy;
  }

  get port(): number {
    // A TCP server that is listening has an AddressInfo; a string is for pipes only.
    return (this.#server.address() as AddressInfo).port;
  }

  get fault(): LinkFault {
    return this.#fault;
  }

  get openConnections(): number {
    return this.#pairs.size;
  }

  set(fault: LinkFault): void {
    this.#fault = fault;
    for (const pair of [...this.#pairs]) this.#strike(pair);
  }

  resume(): void {
    this.set({ kind: "open" });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const pair of [...this.#pairs]) this.#end(pair, "destroy");
    await closed;
  }

  #accept(client: Socket): void {
    this.connections++;
    if (this.#fault.kind === "cut") {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...this.target, allowHalfOpen: true });
    const pair: Pair = {
      client,
      server,
      up: new LinkPipe({ from: client, to: server, passed: (bytes) => this.#count("bytesUp", bytes) }),
      down: new LinkPipe({ from: server, to: client, passed: (bytes) => this.#count("bytesDown", bytes) }),
    };
    this.#pairs.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // A reset on one side is a reset on the other, unless the line is mute: then nobody is told.
      socket.on("error", () => this.#end(pair, "reset"));
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
      });
    }
    this.#strike(pair);
  }

  #count(way: "bytesUp" | "bytesDown", bytes: number): void {
    this[way] += bytes;
    for (const listener of this.onPassed) listener(way === "bytesUp" ? "up" : "down", bytes);
  }

  #strike(pair: Pair): void {
    const fault = this.#fault;
    if (fault.kind === "cut") {
      this.#end(pair, "reset");
      return;
    }
    for (const pipe of [pair.up, pair.down]) {
      if (fault.kind === "half-open") pipe.mute();
      else if (fault.kind === "stalled") pipe.limit(0);
      else pipe.limit(fault.kind === "slow" ? fault.bytesPerSecond : Number.POSITIVE_INFINITY);
    }
  }

  #end(pair: Pair, how: "reset" | "destroy"): void {
    const isTold = how === "destroy" || this.#fault.kind === "cut" || !pair.up.isMute;
    if (!isTold) return;
    this.#pairs.delete(pair);
    for (const pipe of [pair.up, pair.down]) pipe.end();
    for (const socket of [pair.client, pair.server]) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.destroy();
    }
  }
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly up: LinkPipe;
  readonly down: LinkPipe;
}
