import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A line between client and server that a test can cut, silence, spoil and heal. */
export class CutProxy {
  readonly #server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();
  readonly #target: () => number;
  /** new connections are refused */
  isCut = false;
  /** bytes go nowhere, and nobody is told */
  isMute = false;
  /** what the client gets instead of what the server sent */
  spoil: ((bytes: Buffer) => Buffer | null) | null = null;
  connections = 0;

  constructor(target: () => number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  get open(): number {
    return this.#sockets.size;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.isCut = false;
    this.isMute = false;
    this.spoil = null;
  }

  /** bytes that nobody asked for, to every client */
  inject(bytes: Buffer): void {
    for (const socket of this.#sockets) if (clients.has(socket)) socket.write(bytes);
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    this.connections++;
    if (this.isCut) {
      client.destroy();
      return;
    }
    clients.add(client);
    const server = connect(this.#target(), "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {}); // "close" follows
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => {
        if (this.isMute) return;
        const sent = from === server && this.spoil !== null ? this.spoil(bytes) : bytes;
        if (sent !== null && !to.destroyed) to.write(sent);
      });
    }
  }
}

const clients = new WeakSet<Socket>();
