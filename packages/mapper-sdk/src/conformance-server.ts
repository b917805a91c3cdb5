import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** What the server does with one request. */
export type Behaviour = (request: Uint8Array, socket: Socket) => void;

/** A TCP server on a free port that does what a test says with each request, and can be asked to wait for the next. */
export class ConformanceServer {
  behaviour: Behaviour = () => {};
  readonly requests: Uint8Array[] = [];
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #cut: (bytes: Uint8Array) => number;
  readonly #greeting: (request: Uint8Array) => Uint8Array | null;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /**
   * @param cut      length of the first request in the bytes so far, 0 when it is not yet whole
   * @param greeting answers what belongs to the opening of a connection, which counts as no request; null for all else
   */
  constructor(cut: (bytes: Uint8Array) => number, greeting: (request: Uint8Array) => Uint8Array | null = () => null) {
    this.#cut = cut;
    this.#greeting = greeting;
  }

  async listen(port = 0): Promise<{ host: string; port: number }> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves when so many requests have come since the start. */
  asked(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {}); // the client may go at any time; "close" follows
    let held = new Uint8Array(0);
    socket.on("data", (chunk) => {
      held = Uint8Array.from([...held, ...chunk]);
      for (let length = this.#cut(held); length > 0; length = this.#cut(held)) {
        const request = held.slice(0, length);
        held = held.slice(length);
        const welcome = this.#greeting(request);
        if (welcome !== null) {
          socket.write(welcome);
          continue;
        }
        this.requests.push(request);
        this.behaviour(request, socket);
      }
      const reached = this.#waiting.filter(({ count }) => count <= this.requests.length);
      this.#waiting = this.#waiting.filter((waiting) => !reached.includes(waiting));
      for (const { resolve } of reached) resolve();
    });
  }
}
